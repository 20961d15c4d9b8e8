"""An export as one JSON document: what it is, then a list for each table, one row a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import orjson

from backend.dashboard.export.head import ExportHead
from backend.dashboard.export.tables import ExportTable

FORMAT, VERSION = "fuze-dashboard", 1


def write_json_document(file: IO[bytes], head: ExportHead, tables: Sequence[ExportTable]) -> None:
    """Write the document."""
    told = {"format": FORMAT, "version": VERSION, **head.told(), "holds": [table.name for table in tables]}
    file.write(_dump(told)[:-1])
    for table in tables:
        file.write(b',\n"%b":[' % table.name.encode())
        _write_rows(file, table)
        file.write(b"]")
    file.write(b"}\n")


def _write_rows(file: IO[bytes], table: ExportTable) -> None:
    separator = b"\n"
    for batch in table.batches:
        for values in batch:
            file.write(separator + _dump(dict(zip(table.columns, values, strict=True))))
            separator = b",\n"


def _dump(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
