"""Instapaper's CSV in its three generations: four columns, then with `Timestamp`, then with `Tags` as a JSON list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from backend.transfer.reading.csv_rows import CsvRow, csv_rows, header
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportedBookmark, ImportFormat, Record


def _detect(head: bytes) -> bool:
    return {"url", "title", "selection", "folder"} <= header(head)


def _read(file: BinaryIO) -> Iterator[Record]:
    return map(_record, csv_rows(file))


def _record(row: CsvRow) -> Record:
    record = table_record(row)
    return _filed(record, row.fields.get("folder", "").strip()) if isinstance(record, ImportedBookmark) else record


def _filed(bookmark: ImportedBookmark, folder: str) -> ImportedBookmark:
    """Read the three folders that everybody has as states; all others are a person's own."""
    match folder.lower():
        case "unread":
            return replace(bookmark, folders=(), is_read=False, is_archived=False)
        case "archive":
            return replace(bookmark, folders=(), is_read=True, is_archived=True)
        case "starred":
            return replace(bookmark, folders=(), is_favorite=True)
    return replace(bookmark, folders=(folder,) if folder else ())


FORMAT = ImportFormat("instapaper_csv", _detect, _read)
