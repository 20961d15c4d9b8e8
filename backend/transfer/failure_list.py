"""The lines of an import that were not taken as they are, as a CSV file that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from backend.actor import Actor
from backend.extensions import application
from backend.transfer.queries import get_import, remarks_in_order

COLUMNS = ("line", "outcome", "url", "reason")
# OWASP, "CSV Injection": what a cell must not begin with. An apostrophe before it makes the cell a text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
LINES_AT_ONCE = 200


def failure_list(actor: Actor, job_id: UUID) -> tuple[str, Iterator[bytes]]:
    """Write the list of an import: its file name, and its pieces.

    Raises:
        NotFound: there is no such import, or its lines are not known any more.
    """
    created_at = get_import(actor, job_id)
    return f"fuze-import-{created_at:%Y-%m-%d}-failures.csv", csv_pieces(remarks_in_order(application(), job_id))


def csv_pieces(rows: Iterable[Row[Any]]) -> Iterator[bytes]:
    """Write rows as CSV (RFC 4180, UTF-8), some hundred lines at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, 1):
        writer.writerow([row.line, row.outcome, _cell(row.url), _cell(row.reason)])
        if number % LINES_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")
