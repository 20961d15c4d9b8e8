"""/dashboard/insights: a person's own reading and saving."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.dashboard.insights import queries
from backend.dashboard.insights.schemas import InsightsResponse
from backend.dashboard.responses import SAYS_WHETHER_CACHED
from backend.http.operations import operation

blueprint = Blueprint("dashboard_insights", __name__, url_prefix="/dashboard")


@blueprint.get("/insights")
@operation(
    scope="dashboard:read",
    limit="dashboard",
    tag="dashboard",
    responses={200: InsightsResponse},
    cache="dashboard",
    cache_policy=SAYS_WHETHER_CACHED,
)
def read_insights(actor: Actor) -> InsightsResponse:
    """Tell your reading pace, what waits unread, what you save most and which projects lie forgotten."""
    return queries.read_insights(actor)
