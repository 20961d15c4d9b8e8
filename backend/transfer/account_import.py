"""The rest of an account, after its bookmarks: projects, tasks, attachments, tags, pages, feedback of our JSON export.

Each batch is one transaction with the position that was reached, so that a run goes on where the last one ended.
"""

from __future__ import annotations

from typing import BinaryIO

from sqlalchemy import update

from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.running import RetryLater, keep_progress
from backend.transfer.account import RestorePosition, restore_account
from backend.transfer.models import Import
from backend.transfer.records import UnreadableFile
from backend.transfer.tally import Tally
from backend.transfer.writing import LEASE_SECONDS, ImportRun

MESSAGE = "Restoring projects and tasks"


def restore_rest(reading: ImportRun, tally: Tally, state: Import, file: BinaryIO) -> tuple[Tally, str | None]:
    """Restore what a JSON export of ours holds beside bookmarks; commits.

    Returns:
        The tally with what was left out, and why the file could not be read to its end, if so.

    Raises:
        RetryLater: others have their turn first.
        JobStopped: the job was cancelled, or its person has lost the right to it.
    """
    job, turn = reading.job, reading.begin_turn()
    begun = RestorePosition(state.restore_stage, state.restored_items)
    try:
        for position in restore_account(job.requester, file, begun):
            tally = tally.leaving_out(position.skipped)
            _keep_position(reading, tally, position)
            if not position.is_complete and turn.is_over:
                raise RetryLater(0)
    except UnreadableFile as fault:
        db.session.rollback()
        return tally, str(fault)
    return tally, None


def _keep_position(reading: ImportRun, tally: Tally, position: RestorePosition) -> None:
    job = reading.job
    reached = {"restore_stage": position.stage, "restored_items": position.items}
    db.session.execute(update(Import).where(Import.job_id == job.id).values(**reached))
    result = tally.result(reading.format)
    keep_progress(job, result, tally.position, reading.total, MESSAGE, lease_seconds=LEASE_SECONDS)
    db.session.commit()
    invalidate({job.organization_id})
