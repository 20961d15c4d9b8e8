"""Cells of tables for spreadsheets: no text can start a formula."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from backend.transfer.escapes import guard_cell


def cell_text(value: Any) -> str:
    """Write a list or an object as one guarded text; of a list the items, parted by commas."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return guard_cell(value if isinstance(value, str) else orjson.dumps(value).decode())


def csv_cell(value: Any) -> str:
    """Write a value as a cell of CSV: numbers as such, times in RFC 3339, and nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, int | float) else cell_text(value)
