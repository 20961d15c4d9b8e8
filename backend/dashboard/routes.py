"""/dashboard: what an organization has done, counted."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.dashboard import metrics, queries, statistics
from backend.dashboard.responses import SAYS_WHETHER_CACHED, enclosed
from backend.dashboard.schemas import (
    ActivityQuery,
    ActivityResponse,
    MetricsQuery,
    MetricsResponse,
    StatisticsQuery,
    StatisticsResponse,
)
from backend.http.operations import operation

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")


@blueprint.get("/metrics")
@operation(
    scope="dashboard:read",
    limit="dashboard",
    tag="dashboard",
    responses={200: MetricsResponse},
    cache="dashboard",
    cache_policy=SAYS_WHETHER_CACHED,
)
def read_metrics(actor: Actor, query: MetricsQuery) -> MetricsResponse:
    """Count people, content and engagement of an organization, and tell the state of the server."""
    return metrics.read_metrics(actor, query)


@blueprint.get("/activity")
@operation(
    scope="dashboard:read",
    limit="activity",
    tag="dashboard",
    responses={200: ActivityResponse},
    cache="activity",
    cache_policy=SAYS_WHETHER_CACHED,
)
def list_activity(actor: Actor, query: ActivityQuery) -> ActivityResponse:
    """List who did what, the newest first."""
    return enclosed(ActivityResponse, queries.list_activity(actor, query), "activity")


@blueprint.get("/statistics")
@operation(
    scope="dashboard:read",
    limit="dashboard",
    tag="dashboard",
    responses={200: StatisticsResponse},
    cache="statistics",
    cache_policy=SAYS_WHETHER_CACHED,
)
def read_statistics(actor: Actor, query: StatisticsQuery) -> StatisticsResponse:
    """Count what happened in each day, week or month."""
    return statistics.read_statistics(actor, query)
