"""Any table with a column of addresses: by the names of its columns, else by where the addresses stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import HEAD_BYTES
from backend.transfer.reading.csv_rows import csv_rows, first_row, header
from backend.transfer.reading.field_names import URL
from backend.transfer.reading.links import WEB_ADDRESS
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportFormat, Record


def _detect(head: bytes) -> bool:
    return _has_header(head) or len(_addresses(first_row(head))) == 1 < len(first_row(head))


def _has_header(head: bytes) -> bool:
    return not header(head).isdisjoint(URL)


def _read(file: BinaryIO) -> Iterator[Record]:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    columns = () if _has_header(head) else _columns_by_content(first_row(head))
    return map(table_record, csv_rows(file, columns))


def _columns_by_content(row: tuple[str, ...]) -> tuple[str, ...]:
    """Name the columns of a table without a header: the first address, and the first other column as the title."""
    place = next(iter(_addresses(row)), 0)
    named = {place: "url", (1 if place == 0 else 0): "title"}
    return tuple(named.get(each, "") for each in range(len(row)))


def _addresses(row: tuple[str, ...]) -> list[int]:
    return [place for place, cell in enumerate(row) if WEB_ADDRESS.fullmatch(cell.strip())]


FORMAT = ImportFormat("csv", _detect, _read)
