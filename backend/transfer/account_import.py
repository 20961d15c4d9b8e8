"""The rest of an account, after its bookmarks: projects, tasks, attachments, tags, pages, feedback of our JSON export.

Each batch is one transaction with the position that was reached, so that a run goes on where the last one ended.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from sqlalchemy import update

from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.running import RetryLater, keep_progress
from backend.transfer.account import RestorePosition, restore_account
from backend.transfer.models import Import
from backend.transfer.tally import Tally
from backend.transfer.turns import Turn
from backend.transfer.writing import LEASE_SECONDS, ImportRun

MESSAGE = "Restoring projects and tasks"
# So many items that could not be restored are named in the result of the job.
MOST_LEFT_OUT = 100


def restore_rest(reading: ImportRun, tally: Tally, state: Import, file: BinaryIO) -> list[dict[str, Any]]:
    """Restore what a JSON export of ours holds beside bookmarks; return what was left out, and why. Commits.

    Raises:
        RetryLater: others have their turn first.
        JobStopped: the job was cancelled, or its person has lost the right to it.
        UnreadableFile: the file is cut off, or no JSON.
    """
    job, turn = reading.job, Turn(reading.job.user_id)
    left_out = left_out_before(job.result)
    for position in restore_account(job.requester, file, RestorePosition(state.restore_stage, state.restored_items)):
        left_out += [{"line": item.line, "reason": item.reason} for item in position.skipped]
        left_out = left_out[:MOST_LEFT_OUT]
        reached = {"restore_stage": position.stage, "restored_items": position.items}
        db.session.execute(update(Import).where(Import.job_id == job.id).values(**reached))
        result = {**tally.result(reading.format), "left_out": left_out}
        keep_progress(job, result, tally.position, reading.total, MESSAGE, lease_seconds=LEASE_SECONDS)
        db.session.commit()
        invalidate({job.organization_id})
        if not position.is_complete and turn.is_over:
            raise RetryLater(0)
    return left_out


def left_out_before(result: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return what earlier runs of the job have left out."""
    return list((result or {}).get("left_out", ()))
