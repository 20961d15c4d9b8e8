"""Pocket's CSV, with its columns in either order, and those of products that write the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.csv_rows import csv_rows, header
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportFormat, Record


def _detect(head: bytes) -> bool:
    return {"url", "time_added"} <= header(head)


def _read(file: BinaryIO) -> Iterator[Record]:
    return map(table_record, csv_rows(file))


FORMAT = ImportFormat("pocket_csv", _detect, _read)
