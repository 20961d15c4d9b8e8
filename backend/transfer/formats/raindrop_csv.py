"""Raindrop's CSV: `id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.csv_rows import CsvRow, csv_rows, header
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportFormat, Record


def _detect(head: bytes) -> bool:
    return {"url", "folder", "excerpt", "note"} <= header(head)


def _read(file: BinaryIO) -> Iterator[Record]:
    return map(_record, csv_rows(file))


def _record(row: CsvRow) -> Record:
    """Make a bookmark: highlights go below the note, and what is unsorted lies in no folder."""
    fields = dict(row.fields)
    highlights = fields.get("highlights", "").strip()
    fields["note"] = "\n\n".join(part for part in (fields.get("note", "").strip(), highlights) if part)
    if fields.get("folder", "").strip().lower() == "unsorted":
        fields["folder"] = ""
    return table_record(row, fields)


FORMAT = ImportFormat("raindrop_csv", _detect, _read)
