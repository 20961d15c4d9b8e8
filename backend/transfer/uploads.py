"""Uploaded files, kept in the database in pieces: the web tier has no disk in common with the worker."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, BinaryIO, cast
from uuid import UUID

from sqlalchemy import Engine, insert, select, text

from backend.extensions import db
from backend.transfer.models import UploadPart

PART_BYTES = 1024 * 1024
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
    return cast(BinaryIO, io.BufferedReader(_StoredFile(db.engine, job_id, size), BUFFER_BYTES))


def drop_ended_upload(job_id: UUID) -> None:
    """Delete the file of a job that has ended; that of one which goes on elsewhere stays. Commits."""
    db.session.execute(DROP, {"job_id": job_id})
    db.session.commit()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while data := file.read(PART_BYTES):
        yield data


class _StoredFile(io.RawIOBase):
    """A stored file as Python's files are read, one piece of it in memory."""

    def __init__(self, engine: Engine, job_id: UUID, size: int) -> None:
        self._engine = engine
        self._job_id = job_id
        self._size = size
        self._offset = 0
        self._part = -1
        self._data = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        self._offset = max(0, start + offset)
        return self._offset

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._offset >= self._size:
            return 0
        part, start = divmod(self._offset, PART_BYTES)
        piece = memoryview(self._read_part(part))[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._offset += len(piece)
        return len(piece)

    def _read_part(self, part: int) -> bytes:
        if part != self._part:
            which = (UploadPart.job_id == self._job_id, UploadPart.position == part)
            with self._engine.connect() as connection:
                data = connection.scalar(select(UploadPart.data).where(*which))
            if data is None:
                raise UploadGone
            self._part, self._data = part, bytes(data)
        return self._data
