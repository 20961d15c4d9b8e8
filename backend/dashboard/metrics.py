"""Metrics of an organization or of the server: one SQL statement, and what Redis counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import redis
from sqlalchemy import Row

from backend.activity.search_counts import SearchCounts, unwritten_counts
from backend.activity.types import ActivityType
from backend.actor import Actor, Role
from backend.clock import uptime_seconds
from backend.dashboard.responses import enclosed
from backend.dashboard.schemas import (
    BookmarkMetrics,
    ContentMetrics,
    EngagementMetrics,
    Metrics,
    MetricsQuery,
    MetricsResponse,
    StatusCounts,
    SystemMetrics,
    UserMetrics,
)
from backend.extensions import db
from backend.http.response_cache.statistics import read_statistics
from backend.jobs.queue import queue_depth
from backend.named_blocks import read_statements
from backend.observability.metrics.reading import request_quantiles
from backend.projects.schemas import ProjectStatus
from backend.tasks.schemas import Status as TaskStatus

SQL = read_statements(__file__)
IDLE = timedelta(minutes=30)
SERVER_ROLES = ("user", "admin")
CAPTURE_STATUSES = ("pending", "captured", "failed", "skipped")
NO_REQUESTS = "No request to the API was answered yet."
NO_REDIS = "Redis does not answer."
NO_SEARCHES = "Redis does not answer: searches of the last minutes are missing."
OTHERS_SEARCHES = "Searches of the last minute are missing: the worker has not written them yet."
NOBODY_BEFORE = "There was nobody when the period began."
NO_LOOKUPS = "No response was looked up yet."
NO_SESSIONS = "There was no session."


def read_metrics(actor: Actor, query: MetricsQuery) -> MetricsResponse:
    """Compute the metrics. One SQL statement.

    Raises:
        Forbidden: those of the server are for its administrators.
    """
    if query.scope == "server":
        actor.require_admin()
    of_server = query.scope == "server"
    counts = None if of_server else unwritten_counts(actor.organization_id)
    row = db.session.execute(
        SQL["metrics"],
        {
            "organization_id": None if of_server else actor.organization_id,
            "time_zone": query.time_zone,
            "user_id": actor.user_id,
            "left": ActivityType.MEMBER_LEFT.value,
            "opened": ActivityType.RECOMMENDATION_OPENED.value,
            "idle": IDLE,
            **live_arguments(counts),
        },
    ).one()
    reasons = {} if counts else {"engagement.searches": OTHERS_SEARCHES if of_server else NO_SEARCHES}
    metrics = Metrics(
        scope=query.scope,
        time_zone=row.zone,
        period_start=row.period,
        users=_users(row, SERVER_ROLES if of_server else get_args(Role), reasons),
        content=_content(row),
        engagement=_engagement(row, reasons),
        system=_system(row.due_captures, reasons),
        reasons=reasons,
    )
    return enclosed(MetricsResponse, metrics, "dashboard", row.computed_at)


def live_arguments(counts: SearchCounts | None) -> dict[str, Any]:
    """Return the searches that Redis counts as arguments of a statement."""
    buckets = counts.buckets if counts else {}
    return {
        "source": counts.source if counts else "",
        "buckets": [datetime.fromtimestamp(bucket, UTC) for bucket in buckets],
        "counts": list(buckets.values()),
    }


def _users(row: Row[Any], roles: Sequence[str], reasons: dict[str, str]) -> UserMetrics:
    if not row.people_before:
        reasons["users.growth_rate"] = NOBODY_BEFORE
    growth = round((row.people - row.people_before) / row.people_before, 4) if row.people_before else None
    return UserMetrics(
        total=row.people,
        active_today=row.active_today,
        active_week=row.active_week,
        growth_rate=growth,
        by_role=_filled(row.by_role, roles),
    )


def _content(row: Row[Any]) -> ContentMetrics:
    bookmarks = _filled(row.bookmarks, CAPTURE_STATUSES)
    states = {name: int(getattr(row, name) or 0) for name in ("unread", "favorite", "archived", "trashed")}
    return ContentMetrics(
        bookmarks=BookmarkMetrics(total=sum(bookmarks.values()), by_status=bookmarks, **states),
        projects=_by_status(row.projects, get_args(ProjectStatus)),
        tasks=_by_status(row.tasks, get_args(TaskStatus)),
    )


def _engagement(row: Row[Any], reasons: dict[str, str]) -> EngagementMetrics:
    if not row.sessions:
        reasons["engagement.avg_session_seconds"] = NO_SESSIONS
    return EngagementMetrics(
        sessions=row.sessions,
        avg_session_seconds=round(float(row.duration) / row.sessions, 1) if row.sessions else None,
        searches=row.searches or 0,
        recommendations_opened=row.opened,
    )


def _system(due_captures: int, reasons: dict[str, str]) -> SystemMetrics:
    half, most = request_quantiles(0.5, 0.95)
    if half is None or most is None:
        reasons |= {f"system.api_response_ms_{name}": NO_REQUESTS for name in ("p50", "p95")}
    cache = read_statistics()
    if not cache.total_requests:
        reasons["system.cache_hit_rate"] = NO_LOOKUPS if cache.connected else NO_REDIS
    try:
        depth = queue_depth() + due_captures
    except redis.RedisError:
        depth, reasons["system.queue_depth"] = None, NO_REDIS
    return SystemMetrics(
        uptime_seconds=uptime_seconds(),
        cache_hit_rate=round(cache.hits / cache.total_requests, 4) if cache.total_requests else None,
        api_response_ms_p50=_milliseconds(half),
        api_response_ms_p95=_milliseconds(most),
        queue_depth=depth,
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)


def _by_status(counts: Mapping[str, int] | None, statuses: Sequence[str]) -> StatusCounts:
    filled = _filled(counts, statuses)
    return StatusCounts(total=sum(filled.values()), by_status=filled)


def _filled(counts: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, int]:
    return {name: int((counts or {}).get(name, 0)) for name in names}
