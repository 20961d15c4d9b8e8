"""Writing the file of an export job, in parts of an attempt of its own, and its completion in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.clock import utc_now
from backend.dashboard.export.csv_archive import write_csv_archive
from backend.dashboard.export.head import ExportHead
from backend.dashboard.export.json_document import write_json_document
from backend.dashboard.export.links import sign_link
from backend.dashboard.export.models import DashboardExport, DashboardExportPart
from backend.dashboard.export.schemas import DashboardExportIn
from backend.dashboard.export.tables import ExportTable, Period, Values, readable_tables
from backend.dashboard.export.workbook import write_workbook
from backend.extensions import current_settings, db
from backend.jobs.models import Job
from backend.jobs.running import ClaimedJob, JobFailed, RetryLater, report_progress, store_result
from backend.organizations.models import Organization
from backend.transfer.export_storage import NO_ANSWER, StorageUnavailable, export_storage, folder_of
from backend.transfer.stored_parts import PartsWriter

LIFETIME = timedelta(hours=24)
# How often the rights of the requester are read, a cancellation is seen, and the lease starts over.
REPORT_SECONDS = 1.0
MESSAGE = "Writing"
# While the storage is away the job is put back, and counts no attempt; then it has failed.
STORAGE_RETRY_SECONDS, STORAGE_PATIENCE = 60.0, timedelta(hours=6)


def write_export(job: ClaimedJob) -> dict[str, Any]:
    """Write the file of a job; return what the job tells at its end.

    Raises:
        JobStopped: it was cancelled, another worker has it, or its requester has lost the right to it: nothing is left
            of the file.
        RetryLater: the storage of exports is away.
        JobFailed: it has been away for hours.
    """
    if job.result is not None:
        return job.result
    order = DashboardExportIn.model_validate(job.arguments, strict=False)
    tables = readable_tables(job.requester, Period(order.since, order.until), with_history=order.include_history)
    _begin(job, order, tables)
    try:
        return _write(job, order, tables)
    except BaseException as error:
        db.session.rollback()
        db.session.execute(_parts(job, DashboardExportPart.attempt == job.attempt))
        db.session.commit()
        _delete_stored(job)
        if isinstance(error, StorageUnavailable):
            _wait_for_storage(job)
        raise


def scratch_directory() -> Path:
    """Return the directory of temporary files, which exists."""
    directory = current_settings().FUZE_DATA_DIR / "exports"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _begin(job: ClaimedJob, order: DashboardExportIn, tables: Sequence[ExportTable]) -> None:
    values = {
        "job_id": job.id,
        "organization_id": job.organization_id,
        "user_id": job.user_id,
        "format": order.format,
        "scopes": sorted({table.scope for table in tables}),
        "expires_at": utc_now() + LIFETIME,
    }
    db.session.execute(
        upsert(DashboardExport).values(values).on_conflict_do_update(index_elements=["job_id"], set_=values)
    )
    db.session.commit()


def _write(job: ClaimedJob, order: DashboardExportIn, tables: Sequence[ExportTable]) -> dict[str, Any]:
    progress = _Progress(job, sum(table.total for table in tables))
    file = PartsWriter(partial(_store, job, progress))
    counted = [replace(table, batches=progress.counted(table.batches)) for table in tables]
    _writer(order.format)(cast(IO[bytes], file), _head(job, order), counted)
    return _complete(job, file)


class _Progress:
    """The progress of a job in rows, reported every second at most."""

    def __init__(self, job: ClaimedJob, total: int) -> None:
        self._job, self._total = job, total
        self._done = 0
        self._reported_at = 0.0

    def counted(self, batches: Iterable[Sequence[Values]]) -> Iterator[Sequence[Values]]:
        """Yield the batches, and count their rows."""
        for batch in batches:
            self.report()
            yield batch
            self._done += len(batch)

    def report(self) -> None:
        """Report the progress, if the last report is a second old."""
        if time.monotonic() - self._reported_at > REPORT_SECONDS:
            # Rows may be added meanwhile.
            report_progress(self._job, self._done, max(self._total, self._done), MESSAGE)
            self._reported_at = time.monotonic()


def _writer(file_format: str) -> Callable[[IO[bytes], ExportHead, Sequence[ExportTable]], None]:
    if file_format == "xlsx":
        return partial(write_workbook, scratch=scratch_directory())
    return write_csv_archive if file_format == "csv" else write_json_document


def _head(job: ClaimedJob, order: DashboardExportIn) -> ExportHead:
    name = db.session.scalar(select(Organization.name).where(Organization.id == job.organization_id)) or ""
    return ExportHead(job.organization_id, name, utc_now(), Period(order.since, order.until))


def _store(job: ClaimedJob, progress: _Progress, position: int, data: bytes) -> None:
    storage = export_storage()
    if storage is None:
        part = {"job_id": job.id, "attempt": job.attempt, "position": position, "data": data}
        db.session.execute(insert(DashboardExportPart).values(**part))
    # No transaction waits for the storage.
    db.session.commit()
    if storage is not None:
        storage.write(folder_of("dashboard", job.id, job.attempt), position, data)
    progress.report()


def _delete_stored(job: ClaimedJob) -> None:
    """Delete what an attempt has stored outside the database; what cannot be deleted now is left to the purge."""
    with suppress(StorageUnavailable):
        if (storage := export_storage()) is not None:
            storage.delete(folder_of("dashboard", job.id, job.attempt))


def _wait_for_storage(job: ClaimedJob) -> NoReturn:
    is_patient = select(Job.created_at > func.now() - STORAGE_PATIENCE).where(Job.id == job.id)
    if not db.session.scalar(is_patient):
        raise JobFailed(NO_ANSWER)
    report_progress(job, 0, 0, f"{NO_ANSWER} Trying again")
    raise RetryLater(STORAGE_RETRY_SECONDS)


def _complete(job: ClaimedJob, file: PartsWriter) -> dict[str, Any]:
    """Complete the export together with the result of its job: of two attempts, only one does."""
    size, expires_at = file.finish(), (utc_now() + LIFETIME).replace(microsecond=0)
    values = {"attempt": job.attempt, "size": size, "digest": file.digest, "expires_at": expires_at}
    db.session.execute(update(DashboardExport).where(DashboardExport.job_id == job.id).values(**values))
    db.session.execute(_parts(job, DashboardExportPart.attempt != job.attempt))
    told = {
        "download_url": sign_link(job.id, job.user_id, expires_at),
        "expires_at": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    store_result(job, told)
    db.session.commit()
    with suppress(StorageUnavailable):
        if (storage := export_storage()) is not None:
            storage.delete_except(f"dashboard/{job.id}", job.attempt)
    return told


def _parts(job: ClaimedJob, condition: Any) -> Any:
    return delete(DashboardExportPart).where(DashboardExportPart.job_id == job.id, condition)
