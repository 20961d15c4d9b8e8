"""Uploaded files, kept in the database in pieces: the web tier has no disk in common with the worker."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import IO, BinaryIO, cast
from uuid import UUID

from sqlalchemy import Engine, insert, select, text

from backend.extensions import db
from backend.transfer import stored_parts
from backend.transfer.models import UploadPart
from backend.transfer.stored_parts import PartsReader

# What readers take at once: a line is found without asking the database.
BUFFER_BYTES = 64 * 1024
# While a job has not ended, another run of it needs the file.
DROP = text("""
    WITH ended AS (SELECT id FROM jobs WHERE id = :job_id AND status NOT IN ('queued', 'running')),
         ids AS (DELETE FROM imported_ids WHERE job_id IN (SELECT id FROM ended))
    DELETE FROM upload_parts WHERE job_id IN (SELECT id FROM ended)
""")


class UploadGone(Exception):
    """The file is not there any more: its import has ended."""


def store_upload(job_id: UUID, file: IO[bytes]) -> None:
    """Write a file into the database, a piece at a time in memory, in the current transaction."""
    for position, data in enumerate(_pieces(file)):
        db.session.execute(insert(UploadPart).values(job_id=job_id, position=position, data=data))


def open_upload(job_id: UUID, size: int) -> BinaryIO:
    """Open a stored file for reading, by any one thread at a time. It asks the database for each piece, in a
    transaction of its own."""
    read_part = partial(_read_part, db.engine, job_id)
    return cast(BinaryIO, io.BufferedReader(PartsReader(read_part, size), BUFFER_BYTES))


def drop_ended_upload(job_id: UUID) -> None:
    """Delete the file of a job that has ended; that of one which goes on elsewhere stays. Commits."""
    db.session.execute(DROP, {"job_id": job_id})
    db.session.commit()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while data := file.read(stored_parts.PART_BYTES):
        yield data


def _read_part(engine: Engine, job_id: UUID, position: int) -> bytes:
    which = (UploadPart.job_id == job_id, UploadPart.position == position)
    with engine.connect() as connection:
        data = connection.scalar(select(UploadPart.data).where(*which))
    if data is None:
        raise UploadGone
    return bytes(data)
