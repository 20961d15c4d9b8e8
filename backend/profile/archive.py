"""Zip archive of JSON files, written in parts into the database."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import insert

from backend.extensions import db
from backend.profile.models import ExportPart

PART_BYTES = 1024 * 1024


def write_archive(export_id: UUID, files: Iterable[tuple[str, Iterable[Any]]]) -> int:
    """Write files, each a name and its rows, as the parts of an export; return the size of the archive in bytes."""
    parts = PartsWriter(export_id)
    with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in files:
            with archive.open(f"{name}.json", "w", force_zip64=True) as file:
                _write_list(file, rows)
    return parts.finish()


class PartsWriter(io.RawIOBase):
    """Write-only file whose parts are stored in the database as they fill up."""

    def __init__(self, export_id: UUID) -> None:
        self._export_id = export_id
        self._buffer = bytearray()
        self._position = 0
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            self._store(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]
        return len(data)

    def finish(self) -> int:
        """Store the last part; return the size of the whole in bytes."""
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()
        return self._size

    def _store(self, data: bytes) -> None:
        values = {"export_id": self._export_id, "position": self._position, "data": data}
        db.session.execute(insert(ExportPart).values(**values))
        db.session.commit()
        self._position += 1
        self._size += len(data)


def _write_list(file: IO[bytes], rows: Iterable[Any]) -> None:
    separator = b"[\n"
    for row in rows:
        file.write(separator + orjson.dumps(row, option=orjson.OPT_UTC_Z))
        separator = b",\n"
    file.write(b"\n]\n" if separator == b",\n" else b"[]\n")
