"""Dashboard exports: requested, downloaded by their owner, purged. Every public function commits once."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import BinaryIO, cast
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select, text

from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.memberships import role_in
from backend.auth.models import User
from backend.clock import utc_now
from backend.dashboard.export.links import expiry_of
from backend.dashboard.export.models import DashboardExport, DashboardExportPart
from backend.dashboard.export.schemas import DashboardExportIn, TableFormat
from backend.dashboard.export.writing import LIFETIME, scratch_directory
from backend.database import execute_in_batches
from backend.errors import Forbidden, Gone, Invalid, NotFound, TooManyRequests
from backend.extensions import application, db
from backend.http.file_responses import FileDownload
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.transfer.export_storage import StorageUnavailable, export_storage, folder_of
from backend.transfer.stored_parts import PartsReader

KIND = "dashboard_export"
# Of one person: jobs that have not ended, and files of a day.
MOST_UNDER_WAY, MOST_IN_A_DAY = 5, 50
RETRY_SECONDS = 30
# What readers take at once: one part is in memory anyway.
BUFFER_BYTES = 64 * 1024
MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    "csv": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SUFFIXES: dict[TableFormat, str] = {"json": "json", "csv": "zip", "xlsx": "xlsx"}
PURGE = text("""
    DELETE FROM dashboard_exports WHERE job_id IN (
        SELECT job_id FROM dashboard_exports WHERE expires_at < now() LIMIT 20)
""")


def request_export(actor: Actor, order: DashboardExportIn) -> Job:
    """Queue a job that writes the organization's tables into a file.

    Raises:
        Invalid: the period ends before it begins.
        TooManyRequests: the person has as many exports under way, or of one day, as one may have.
    """
    if order.since is not None and order.until is not None and order.until < order.since:
        raise Invalid.field("body.to", "The period ends before it begins.", "range")
    # Of two requests at once the second one counts the job of the first.
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    _refuse_too_many(actor)
    job = add_job(actor, KIND, order.model_dump(mode="json", by_alias=True))
    record_event(actor.user_id, "data_exported", organization_id=actor.organization_id, detail={"format": order.format})
    db.session.commit()
    send([job_message(job)])
    return job


def open_export(actor: Actor, export_id: UUID, signature: str) -> FileDownload:
    """Open the file of a complete export of the person, by the link that its job has told.

    Raises:
        NotFound: there is none, it is somebody else's, or they left the organization.
        Forbidden: the link is not the one that was told, or the credential does not reach all that the file holds.
        Gone: the link has expired.
        Unavailable: the storage of exports does not answer.
    """
    own = select(DashboardExport).where(DashboardExport.job_id == export_id, DashboardExport.user_id == actor.user_id)
    export = db.session.scalar(own.where(DashboardExport.size.is_not(None)))
    expires_at = expiry_of(export_id, actor.user_id, signature)
    if expires_at is None:
        raise Forbidden("This link was changed: take it as the job tells it.") if export else NotFound
    if expires_at <= utc_now():
        raise Gone("This link has expired. Ask for another export.")
    if export is None or role_in(actor, export.organization_id) is None:
        raise NotFound
    for scope in export.scopes:
        actor.require(scope)
    return _download(export)


def purge_exports() -> None:
    """Delete expired exports, and temporary files that killed workers have left."""
    for _ in execute_in_batches(PURGE):
        continue
    with suppress(StorageUnavailable):  # The next purge comes in an hour.
        if (storage := export_storage()) is not None:
            storage.delete_orphans("dashboard", _existing)
    oldest = time.time() - LIFETIME.total_seconds()
    for path in scratch_directory().iterdir():
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)


def _refuse_too_many(actor: Actor) -> None:
    mine = (Job.user_id == actor.user_id, Job.kind == KIND, Job.created_at > utc_now() - timedelta(days=1))
    open_jobs = func.count().filter(Job.status.in_(("queued", "running")))
    of_a_day = func.count().filter(Job.status.in_(("queued", "running", "succeeded")))
    row = db.session.execute(select(open_jobs, of_a_day, func.min(Job.created_at)).where(*mine)).one()
    if row[0] >= MOST_UNDER_WAY:
        raise TooManyRequests(
            f"You have {MOST_UNDER_WAY} exports under way. Wait until one of them has ended.", retry_after=RETRY_SECONDS
        )
    if row[1] >= MOST_IN_A_DAY:
        wait = (row[2] + timedelta(days=1) - utc_now()).total_seconds()
        raise TooManyRequests(f"You have asked for {MOST_IN_A_DAY} exports within a day.", retry_after=wait)


def _download(export: DashboardExport) -> FileDownload:
    assert export.size is not None
    assert export.digest is not None
    assert export.attempt is not None
    read_part = partial(_read_part, application(), export.job_id, export.attempt)
    reader = PartsReader(read_part, export.size)
    if export_storage() is not None:
        _read_ahead(reader)
    parts = io.BufferedReader(reader, BUFFER_BYTES)
    name = f"fuze-dashboard-{export.created_at:%Y-%m-%d}.{SUFFIXES[cast(TableFormat, export.format)]}"
    file = cast(BinaryIO, parts)
    return FileDownload(file, name, MEDIA_TYPES[export.format], export.size, export.digest, export.created_at)


def _read_part(app: Flask, job_id: UUID, attempt: int, position: int) -> bytes:
    part = DashboardExportPart
    # The context of the request has ended when a slow client reads on.
    with app.app_context():
        data = db.session.scalar(
            select(part.data).where(part.job_id == job_id, part.attempt == attempt, part.position == position)
        )
        if data is None and (storage := export_storage()) is not None:
            data = storage.read(folder_of("dashboard", job_id, attempt), position)
    if data is None:
        raise FileNotFoundError("The export was deleted while it was sent.")
    return bytes(data)


def _read_ahead(reader: PartsReader) -> None:
    """Read the first part before the response begins: a fault after that can only cut the connection."""
    try:
        reader.read(1)
    except FileNotFoundError:
        raise NotFound from None
    reader.seek(0)


def _existing(ids: Iterable[UUID]) -> Iterable[UUID]:
    return db.session.scalars(select(DashboardExport.job_id).where(DashboardExport.job_id.in_(ids)))
