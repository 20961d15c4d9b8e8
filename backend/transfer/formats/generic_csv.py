"""Any table with a column of addresses: by the names of its columns, else by where the addresses stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from backend.transfer.reading.bounds import HEAD_BYTES
from backend.transfer.reading.csv_rows import csv_rows, first_rows, header
from backend.transfer.reading.field_names import URL, field_name
from backend.transfer.reading.links import WEB_ADDRESS
from backend.transfer.reading.table_records import table_record
from backend.transfer.records import ImportFormat, Record


def _detect(head: bytes) -> bool:
    rows = first_rows(head)
    width = len(rows[0]) if rows else 0
    return _has_header(head) or any(len(_addresses(row)) == 1 < len(row) == width for row in rows)


def _has_header(head: bytes) -> bool:
    return not header(head).isdisjoint(URL)


def _read(file: BinaryIO) -> Iterator[Record]:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if _has_header(head):
        return map(table_record, csv_rows(file))
    columns, is_below_header = _columns_by_content(first_rows(head))
    return map(table_record, islice(csv_rows(file, columns), int(is_below_header), None))


def _columns_by_content(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], bool]:
    """Name the columns of a table without a header that says where the addresses stand: the first address, and the
    first other column as the title. Where the first row has none, it is a header in another language."""
    row = next((row for row in rows if _addresses(row)), ())
    is_below_header = bool(row) and row is not rows[0]
    place = next(iter(_addresses(row)), 0)
    names = [field_name(name) for name in rows[0]] if is_below_header else []
    named = dict(enumerate(names)) | ({} if "title" in names else {(1 if place == 0 else 0): "title"}) | {place: "url"}
    return tuple(named.get(each, "") for each in range(len(row))), is_below_header


def _addresses(row: tuple[str, ...]) -> list[int]:
    return [place for place, cell in enumerate(row) if WEB_ADDRESS.fullmatch(cell.strip())]


FORMAT = ImportFormat("csv", _detect, _read)
