"""Capture states in rows of bookmarks and of the jobs that watch them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, update

from backend.extensions import db
from backend.jobs.models import Job
from backend.leases import seconds_from_now


def pending_capture_values(priority: int) -> dict[str, Any]:
    """Return the column values that restart a capture; a claim on the bookmark becomes void."""
    return {
        "capture_status": "pending",
        "capture_error": None,
        "capture_attempts": 0,
        "capture_due_at": func.now(),
        "capture_priority": priority,
        "capture_host": None,
        "capture_claimed_at": None,
    }


# Time after the next attempt, after which the job checks the capture itself.
SLACK_SECONDS = 120


def finish_capture_jobs(bookmark_id: int, status: str, reason: str | None) -> None:
    """Finish the jobs that watch a bookmark's capture, in the current transaction."""
    outcome: dict[str, Any] = (
        {"status": "failed", "error": reason}
        if status == "failed"
        else {"status": "succeeded", "result": {"status": status, "reason": reason}}
    )
    db.session.execute(
        update(Job).where(*_watches(bookmark_id)).values(finished_at=func.now(), lease_until=None, **outcome),
        execution_options={"synchronize_session": False},
    )


def postpone_capture_jobs(bookmark_id: int, seconds: float) -> None:
    """Postpone the jobs that watch a bookmark's capture until after its next attempt, in the current transaction."""
    again = seconds_from_now(seconds + SLACK_SECONDS)
    db.session.execute(
        update(Job).where(*_watches(bookmark_id)).values(status="queued", run_after=again, lease_until=None),
        execution_options={"synchronize_session": False},
    )


def _watches(bookmark_id: int) -> tuple[ColumnElement[bool], ...]:
    bookmark = cast(Job.arguments["bookmark_id"].astext, BigInteger)
    return Job.kind == "capture", Job.status.in_(("queued", "running")), bookmark == bookmark_id
