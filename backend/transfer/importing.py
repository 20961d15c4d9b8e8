"""Running an import: records are read from the file one by one and written in batches.

A run goes on where the last one ended, whether that had its turn or was killed: the file is read from its beginning,
and the records that have been dealt with are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import func, select, text, update

from backend.bookmarks.messages import capture_message, refresh_message
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.index.messages import embed_message, statistics_message
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.running import ClaimedJob, JobFailed, JobStopped, RetryLater, keep_progress, report_progress
from backend.jobs.service import job_message
from backend.observability.metrics.recording import record_import
from backend.projects.messages import embed_subjects_message
from backend.transfer.account_import import restore_rest
from backend.transfer.batches import read_ahead
from backend.transfer.formats import format_named
from backend.transfer.formats.fuze_json import FUZE_JSON
from backend.transfer.models import Import
from backend.transfer.options import ImportOptions
from backend.transfer.planner import refresh_planner_statistics
from backend.transfer.queries import has_earlier_import
from backend.transfer.records import ImportFormat, Record, UnreadableFile
from backend.transfer.tally import Tally
from backend.transfer.uploads import UploadGone, drop_ended_upload, open_upload
from backend.transfer.writing import LEASE_SECONDS, ImportRun, write_batch

NOTHING_THERE = "The file holds no bookmarks."
# Of a person's imports, one runs at a time: the next one is woken, and looks by itself if it was not.
LOOK_AGAIN_SECONDS = 15
# So many new bookmarks change what ranking and PostgreSQL's planner count with.
MANY_TO_COUNT, MANY_TO_ANALYZE = 50, 1_000

FORGET_UPLOAD = text("""
    WITH ids AS (DELETE FROM imported_ids WHERE job_id = :job_id)
    DELETE FROM upload_parts WHERE job_id = :job_id
""")


def run(job: ClaimedJob) -> dict[str, Any]:
    """Import the file of a job, or go on with it; what the job tells at its end.

    Raises:
        RetryLater: others have their turn first.
        JobStopped: it was cancelled, or its person has lost the right to it; what is saved stays.
        JobFailed: the file cannot be read, or not to its end; what is saved stays.
    """
    state = db.session.execute(select(Import).where(Import.job_id == job.id)).scalar_one_or_none()
    if state is None:
        raise JobFailed("The file is not there any more.")
    if state.ended_at is None:
        return _read(job, state)
    return _told(Tally.of(state, job.result), state.format, state.error)


def _read(job: ClaimedJob, state: Import) -> dict[str, Any]:
    if has_earlier_import(job.id):
        raise RetryLater(LOOK_AGAIN_SECONDS)
    try:
        with open_upload(job.id, state.size) as file:
            return _import(job, state, file)
    except (JobStopped, UploadGone) as stop:
        db.session.rollback()
        drop_ended_upload(job.id)
        raise stop if isinstance(stop, JobStopped) else JobStopped from None


def _import(job: ClaimedJob, state: Import, file: BinaryIO) -> dict[str, Any]:
    form = format_named(state.format)
    if form is None:
        raise JobFailed(f"Files of the format {state.format} cannot be imported any more.")
    total = state.total if state.total is not None else _count(job, form, file)
    reading = ImportRun(job, state.format, ImportOptions.from_arguments(job.arguments), total)
    records = _Records(form, file)
    tally = _write_all(reading, Tally.of(state, job.result), records)
    fault = records.fault
    if fault is None and form is FUZE_JSON:
        tally, fault = restore_rest(reading, tally, state, file)
    return _end(reading, tally, fault)


class _Records:
    """The records of a file, as far as it can be read; `fault` says why that was not to its end."""

    def __init__(self, form: ImportFormat, file: BinaryIO) -> None:
        file.seek(0)
        self._form, self._file = form, file
        self.fault: str | None = None

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from self._form.read(self._file)
        except UnreadableFile as fault:
            self.fault = str(fault)


def _count(job: ClaimedJob, form: ImportFormat, file: BinaryIO) -> int:
    """Count the records of a file, so that it can be told how far its import has come. Commits."""
    report_progress(job, 0, 0, "Counting lines")
    total = sum(1 for _ in _Records(form, file))
    db.session.execute(update(Import).where(Import.job_id == job.id).values(total=total))
    db.session.commit()
    return total


def _write_all(reading: ImportRun, tally: Tally, records: _Records) -> Tally:
    turn = reading.begin_turn()
    with read_ahead(islice(records, tally.position, None), reading.options) as batches:
        for batch in batches:
            written = write_batch(reading, tally, batch)
            tally = written.tally
            invalidate({reading.job.organization_id})
            if written.is_capture_due:
                send([capture_message()])
            if tally.position < reading.total and turn.is_over:
                raise RetryLater(0)
    return tally


def _end(reading: ImportRun, tally: Tally, error: str | None) -> dict[str, Any]:
    """Let go of the file, and have done what a large import calls for."""
    job, result = reading.job, tally.result(reading.format)
    message = "" if tally.position else NOTHING_THERE
    keep_progress(job, result, tally.position, tally.position, message, lease_seconds=LEASE_SECONDS)
    db.session.execute(FORGET_UPLOAD, {"job_id": job.id})
    ended = {"ended_at": func.now(), "error": error}
    size = db.session.scalar(update(Import).where(Import.job_id == job.id).values(**ended).returning(Import.size))
    db.session.commit()
    outcome = "failed" if error else "succeeded"
    record_import(reading.format, outcome, records=tally.position, size=size or 0)
    if tally.created >= MANY_TO_ANALYZE:
        refresh_planner_statistics()
    if tally.created + tally.duplicates >= MANY_TO_COUNT:
        send([statistics_message()])
    send([embed_message(), refresh_message(), embed_subjects_message()])
    _wake_next(job)
    return _told(tally, reading.format, error)


def _told(tally: Tally, format_name: str, error: str | None) -> dict[str, Any]:
    if error is not None:
        raise JobFailed(error)
    return tally.result(format_name)


def _wake_next(job: ClaimedJob) -> None:
    """Wake the import that the same person asked for next. Commits."""
    waiting = select(Job.id).where(Job.user_id == job.user_id, Job.kind == "import", Job.status == "queued")
    first = waiting.order_by(Job.created_at, Job.id).limit(1).scalar_subquery()
    woken = db.session.scalar(update(Job).where(Job.id == first).values(run_after=func.now()).returning(Job))
    db.session.commit()
    if woken is not None:
        send([job_message(woken)])
