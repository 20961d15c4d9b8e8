"""The state of captures in rows of bookmarks, and of the jobs that watch them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, update

from backend.extensions import db
from backend.jobs.models import Job


def pending_capture_values(priority: int) -> dict[str, Any]:
    """The columns of a bookmark whose page is to be read from the beginning; whoever reads it now loses their claim."""
    return {
        "capture_status": "pending",
        "capture_error": None,
        "capture_attempts": 0,
        "capture_due_at": func.now(),
        "capture_priority": priority,
        "capture_host": None,
        "capture_claimed_at": None,
    }


# After a page should have been tried once more, the job looks for itself.
SLACK = timedelta(minutes=2)


def finish_capture_jobs(bookmark_id: int, status: str, reason: str | None) -> None:
    """The capture of a bookmark has ended: in the transaction at hand, so have the jobs that watch it."""
    ended: dict[str, Any] = (
        {"status": "failed", "error": reason}
        if status == "failed"
        else {"status": "succeeded", "result": {"status": status, "reason": reason}}
    )
    db.session.execute(
        update(Job).where(*_watches(bookmark_id)).values(finished_at=func.now(), lease_until=None, **ended),
        execution_options={"synchronize_session": False},
    )


def postpone_capture_jobs(bookmark_id: int, seconds: float) -> None:
    """The page is tried again in so many seconds: in the transaction at hand, its jobs wait too."""
    again = func.now() + timedelta(seconds=seconds) + SLACK
    db.session.execute(
        update(Job).where(*_watches(bookmark_id)).values(status="queued", run_after=again, lease_until=None),
        execution_options={"synchronize_session": False},
    )


def _watches(bookmark_id: int) -> tuple[ColumnElement[bool], ...]:
    watched = cast(Job.arguments["bookmark_id"].astext, BigInteger)
    return Job.kind == "capture", Job.status.in_(("queued", "running")), watched == bookmark_id
