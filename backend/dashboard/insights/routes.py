"""/dashboard/insights: a person's own reading and saving."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.dashboard.insights import queries
from backend.dashboard.insights.schemas import InsightsResponse, stored_insights
from backend.http.operations import CachePolicy, operation

blueprint = Blueprint("dashboard_insights", __name__, url_prefix="/dashboard")


@blueprint.get("/insights")
@operation(
    scope="dashboard:read",
    limit="dashboard",
    tag="dashboard",
    responses={200: InsightsResponse},
    cache="dashboard",
    cache_policy=CachePolicy(stored=stored_insights),
)
def read_insights(actor: Actor) -> InsightsResponse:
    """Tell your reading pace, what waits unread, what you save most and which projects lie forgotten."""
    return queries.read_insights(actor)
