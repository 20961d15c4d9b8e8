"""Any table with a column of addresses: by the names of its columns, else by where the addresses stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import HEAD_BYTES
from backend.transfer.reading.csv_rows import csv_rows, header
from backend.transfer.reading.field_names import URL
from backend.transfer.reading.links import WEB_ADDRESS
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportFormat, Record


def _detect(head: bytes) -> bool:
    names = header(head)
    return bool(set(URL) & set(names)) or (len(names) > 1 and any(map(WEB_ADDRESS.match, names)))


def _read(file: BinaryIO) -> Iterator[Record]:
    file.seek(0)
    names = header(file.read(HEAD_BYTES))
    columns = () if set(URL) & set(names) else _columns_by_content(names)
    return map(table_record, csv_rows(file, columns))


def _columns_by_content(first_row: tuple[str, ...]) -> tuple[str, ...]:
    """Name the columns of a table without a header: the first address, and the first other column as the title."""
    place = next((place for place, cell in enumerate(first_row) if WEB_ADDRESS.match(cell)), 0)
    title = 1 if place == 0 else 0
    named = {place: "url", title: "title"}
    return tuple(named.get(each, "") for each in range(len(first_row)))


FORMAT = ImportFormat("csv", _detect, _read)
