"""Bookmarks as CSV (RFC 4180, UTF-8, a header): one line each, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from backend.transfer.escapes import guard_cell, write_tags
from backend.transfer.export.projects import project_names
from backend.transfer.export.selection import Batch, ExportSelection

# Part of the format: columns are added at the end, and none is renamed (docs/export.md).
HEADER = (
    "url", "title", "description", "notes", "tags", "is_read", "is_favorite", "is_archived", "created_at",
    "updated_at", "projects",
)  # fmt: skip


def write_csv(selection: ExportSelection) -> Iterator[str]:
    """Write the header, then the bookmarks."""
    names = project_names(selection)
    yield write_lines([HEADER])
    for rows in selection.batches():
        yield _table(rows, names)


def _table(rows: Batch, names: Mapping[int, str]) -> str:
    return write_lines([[guard_cell(cell) for cell in _cells(row, names)] for row in rows])


def _cells(row: Row[Any], names: Mapping[int, str]) -> Sequence[str]:
    projects = write_tags(names[id_] for id_ in row.project_ids if id_ in names)
    marks = (_mark(mark) for mark in (row.is_read, row.is_favorite, row.is_archived))
    texts = (row.url, row.title, row.description, row.notes, write_tags(row.tags))
    return (*texts, *marks, _moment(row.created_at), _moment(row.updated_at), projects)


def write_lines(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as lines of CSV."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _mark(value: bool) -> str:
    return "true" if value else "false"


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
