"""Zip archive of JSON files, written in parts into the database."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from functools import partial
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import insert

from backend.extensions import db
from backend.profile.models import ExportPart
from backend.transfer.export_storage import export_storage, folder_of
from backend.transfer.stored_parts import PartsWriter


def write_archive(export_id: UUID, files: Iterable[tuple[str, Iterable[Any]]]) -> int:
    """Write files, each a name and its rows, as the parts of an export; return the size of the archive in bytes."""
    parts = PartsWriter(partial(_store, export_id))
    with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in files:
            with archive.open(f"{name}.json", "w", force_zip64=True) as file:
                _write_list(file, rows)
    return parts.finish()


def _store(export_id: UUID, position: int, data: bytes) -> None:
    storage = export_storage()
    if storage is None:
        db.session.execute(insert(ExportPart).values(export_id=export_id, position=position, data=data))
    # No transaction waits for the storage.
    db.session.commit()
    if storage is not None:
        storage.write(folder_of("personal", export_id), position, data)


def _write_list(file: IO[bytes], rows: Iterable[Any]) -> None:
    separator = b"[\n"
    for row in rows:
        file.write(separator + orjson.dumps(row, option=orjson.OPT_UTC_Z))
        separator = b",\n"
    file.write(b"\n]\n" if separator == b",\n" else b"[]\n")
