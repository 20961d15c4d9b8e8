"""What the worker does for tasks. Thin, and safe to run twice."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import text

from backend.actor import Actor
from backend.database import again_after_lost_race, in_batches
from backend.errors import NotFound
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate, invalidate_everything
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, durable_job, keep_result, report_progress
from backend.tasks.breakdown.service import Breakdown, EngineUnavailable, Wanted, add_steps, break_down

ASKING = "Asking the language model"
GONE = "The task was deleted, or has no room for subtasks any more."
# Subtasks go with the task they are steps of.
PURGE_TRASH = text("""
    DELETE FROM tasks WHERE id IN (
        SELECT id FROM tasks WHERE deleted_at < now() - make_interval(days => :days)
         LIMIT 1000 FOR UPDATE SKIP LOCKED)
""")


@job("tasks.run_breakdown")
@durable_job
def run_breakdown(job: ClaimedJob) -> dict[str, Any]:
    """Find the steps of a task, and add them if asked."""
    if job.result is not None:
        return job.result
    wanted, actor = Wanted(**job.arguments), job.maker
    try:
        found = break_down(actor, wanted, partial(report_progress, job, 0, 1, ASKING))
        return _apply(job, actor, wanted, found) if wanted.apply else found.as_result()
    except EngineUnavailable as fault:
        raise JobFailed(str(fault)) from None
    except NotFound:
        raise JobFailed(GONE) from None


@job("tasks.purge_trash")
def purge_trash() -> None:
    """Delete for good what has lain in the trash longer than its time."""
    if sum(in_batches(PURGE_TRASH, {"days": current_settings().TRASH_RETENTION_DAYS})):
        invalidate_everything()


@again_after_lost_race
def _apply(job: ClaimedJob, actor: Actor, wanted: Wanted, found: Breakdown) -> dict[str, Any]:
    # Not begun with what was read before: no connection waits for an engine, and the tree is held only to add.
    db.session.commit()
    added, created_ids = add_steps(actor, wanted, found)
    result = {**added.as_result(), "created_ids": created_ids}
    keep_result(job, result)
    db.session.commit()
    invalidate([actor.organization_id])
    return result
