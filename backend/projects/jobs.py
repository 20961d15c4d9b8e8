"""What the worker does for projects."""

from __future__ import annotations

from sqlalchemy import text

from backend.database import in_batches
from backend.extensions import current_settings
from backend.http.response_cache.invalidation import invalidate_everything
from backend.jobs.registry import job

PURGE_TRASH = text("""
    DELETE FROM projects WHERE id IN (
        SELECT id FROM projects WHERE deleted_at < now() - make_interval(days => :days) LIMIT 100)
""")


@job("projects.purge_trash")
def purge_trash() -> None:
    """Delete for good what has lain in the trash longer than its time. Safe to run twice."""
    if sum(in_batches(PURGE_TRASH, {"days": current_settings().TRASH_RETENTION_DAYS})):
        invalidate_everything()
