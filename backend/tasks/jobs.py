"""Jobs of tasks. Idempotent."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import text

from backend.actor import Actor
from backend.database import execute_in_batches, retry_on_conflict
from backend.errors import NotFound
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate, invalidate_everything
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, durable_job, report_progress, store_result
from backend.tasks.breakdown.service import Breakdown, BreakdownRequest, EngineUnavailable, add_steps, break_down

ASKING = "Asking the language model"
GONE = "The task was deleted, or has no room for subtasks any more."
# Subtasks are deleted with their task by the foreign key. ARRAY chooses the rows once, not for each row as IN may.
PURGE_TRASH = text("""
    DELETE FROM tasks WHERE id = ANY (ARRAY(
        SELECT id FROM tasks WHERE deleted_at < now() - make_interval(days => :days)
         LIMIT 1000 FOR UPDATE SKIP LOCKED))
""")


@job("tasks.run_breakdown")
@durable_job
def run_breakdown(job: ClaimedJob) -> dict[str, Any]:
    """Run a breakdown job: find the steps of a task, and add them if requested."""
    if job.result is not None:
        return job.result
    request, actor = BreakdownRequest(**job.arguments), job.requester
    try:
        breakdown = break_down(actor, request, partial(report_progress, job, 0, 1, ASKING))
        return _apply(job, actor, request, breakdown) if request.apply else breakdown.as_result()
    except EngineUnavailable as fault:
        raise JobFailed(str(fault)) from None
    except NotFound:
        raise JobFailed(GONE) from None


@job("tasks.purge_trash")
def purge_trash() -> None:
    """Delete tasks for good after their retention in the trash."""
    if sum(execute_in_batches(PURGE_TRASH, {"days": current_settings().TRASH_RETENTION_DAYS})):
        invalidate_everything()


@retry_on_conflict
def _apply(job: ClaimedJob, actor: Actor, request: BreakdownRequest, breakdown: Breakdown) -> dict[str, Any]:
    # A new transaction: no connection waits for an engine, and the tree's lock is held only for the insertion.
    db.session.commit()
    added, created_ids = add_steps(actor, request, breakdown)
    result = {**added.as_result(), "created_ids": created_ids}
    store_result(job, result)
    db.session.commit()
    invalidate([actor.organization_id])
    return result
