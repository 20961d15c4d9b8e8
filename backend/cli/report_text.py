"""Text of the report on the database: a table for each section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

# Of tables and indexes text shows the largest; JSON has all.
MOST_ROWS = 20
# The title of each section, and its columns.
SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tables": ("Tables", ("name", "rows", "table_bytes", "index_bytes", "dead_percent", "bloat_bytes")),
    "indexes": ("Indexes", ("name", "table_name", "bytes", "scans")),
    "unused_indexes": ("Indexes that nothing has used", ("name", "table_name", "bytes")),
    "invalid_indexes": ("Invalid indexes", ("name", "table_name", "bytes")),
    "duplicate_indexes": ("Duplicate indexes", ("names", "table_name", "bytes")),
    "foreign_keys_without_index": ("Foreign keys without an index", ("name", "table_name", "parent")),
    "statements": ("Statements that took longest", ("calls", "total_ms", "mean_ms", "rows", "statement")),
}
LONGEST = 100
UNITS = ("bytes", "KB", "MB", "GB", "TB")


def report_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a report."""
    about = found["database"]
    since = about["statistics_since"]
    yield f"Database {about['name']}, {_size(about['bytes'])}, PostgreSQL {about['server']}"
    yield f"Scans and dead rows are counted since {since:%Y-%m-%d %H:%M}" if since else "Statistics were never reset"
    for name, (title, columns) in SECTIONS.items():
        rows = found[name]
        yield ""
        if rows is None:
            yield f"{title}: unknown, {found['statements_fault']}"
        elif not rows:
            yield f"{title}: none"
        else:
            yield f"{title}:{f' the first {MOST_ROWS} of {len(rows)}' if len(rows) > MOST_ROWS else ''}"
            yield from _table(columns, rows[:MOST_ROWS])


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    cells = [[column.replace("_bytes", "").replace("_", " ") for column in columns]]
    cells += [[_cell(column, row[column]) for column in columns] for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column.endswith("bytes"):
        return _size(value)
    text = ", ".join(value) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _size(number: float) -> str:
    for unit in UNITS:
        if number < 1024 or unit == UNITS[-1]:
            break
        number /= 1024
    return f"{number:.0f} {unit}" if unit == UNITS[0] else f"{number:.1f} {unit}"
