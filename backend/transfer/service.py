"""What a person does with imports: asks for one. Every public function commits once."""

from __future__ import annotations

import io
from typing import IO, BinaryIO, cast

from sqlalchemy import text

from backend.actor import Actor
from backend.database import in_batches
from backend.errors import Conflict, Invalid
from backend.extensions import db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.transfer.formats import FORMATS, detect_format, format_named
from backend.transfer.models import Import
from backend.transfer.options import ImportOptions
from backend.transfer.queries import bytes_waiting
from backend.transfer.records import ImportFormat
from backend.transfer.uploads import store_upload

HEAD_BYTES = 64 * 1024
# Of a person's files that wait to be imported, or are being imported.
MOST_BYTES_WAITING = 256 * 1024 * 1024
KEPT_DAYS = 30

PURGE_PARTS = text("""
    DELETE FROM upload_parts WHERE (job_id, position) IN (
        SELECT p.job_id, p.position FROM upload_parts p JOIN jobs j ON j.id = p.job_id
         WHERE j.status NOT IN ('queued', 'running') LIMIT 100)
""")
PURGE_IDS = text("""
    DELETE FROM imported_ids WHERE (job_id, bookmark_id) IN (
        SELECT i.job_id, i.bookmark_id FROM imported_ids i JOIN jobs j ON j.id = i.job_id
         WHERE j.status NOT IN ('queued', 'running') LIMIT 10000)
""")
PURGE_REMARKS = text("""
    DELETE FROM import_remarks WHERE (job_id, position) IN (
        SELECT r.job_id, r.position FROM imports i JOIN import_remarks r ON r.job_id = i.job_id
         WHERE i.created_at < now() - make_interval(days => :days) LIMIT 10000)
""")
PURGE_IMPORTS = text("""
    DELETE FROM imports WHERE job_id IN (
        SELECT i.job_id FROM imports i JOIN jobs j ON j.id = i.job_id
         WHERE i.created_at < now() - make_interval(days => :days) AND j.status NOT IN ('queued', 'running')
         LIMIT 1000)
""")


def ask_for_import(actor: Actor, file: IO[bytes], options: ImportOptions) -> Job:
    """Keep a file, and have a worker import it.

    Raises:
        Invalid: the file is empty, or its format is unknown.
        Conflict: too many of the person's files wait.
    """
    size = file.seek(0, io.SEEK_END)
    form = _format_of(file, size, options.format)
    if bytes_waiting(actor.user_id) + size > MOST_BYTES_WAITING:
        limit = MOST_BYTES_WAITING >> 20
        raise Conflict(f"Files of over {limit} MiB wait to be imported; send this one when some of them have been.")
    job = add_job(actor, "import", options.as_arguments())
    whose = {"job_id": job.id, "organization_id": actor.organization_id}
    db.session.add(Import(**whose, format=form.name, size=size))
    db.session.flush()
    store_upload(job.id, file)
    db.session.commit()
    send([job_message(job)])
    return job


def purge_imports() -> None:
    """Delete files whose import has ended, and after a month what is known of lines that were not taken."""
    days = {"days": KEPT_DAYS}
    for statement, values in ((PURGE_PARTS, {}), (PURGE_IDS, {}), (PURGE_REMARKS, days), (PURGE_IMPORTS, days)):
        for _ in in_batches(statement, values):
            continue


def _format_of(file: IO[bytes], size: int, name: str) -> ImportFormat:
    if not size:
        raise Invalid.field("body.file", "The file is empty.", "empty")
    if name != "auto":
        return _named(name)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    format_ = detect_format(head, cast(BinaryIO, file))
    if format_ is None:
        message = "The format of this file is unknown. If it is one of those that can be imported, name it in `format`."
        raise Invalid.field("body.file", message, "unknown_format")
    return format_


def _named(name: str) -> ImportFormat:
    format_ = format_named(name)
    if format_ is None:
        known = ", ".join(sorted(form.name for form in FORMATS))
        raise Invalid.field("body.format", f"Input should be auto or one of: {known}", "unknown_format")
    return format_
