"""Report of the database for its operator: sizes, bloat, indexes that are missing or useless, slow statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError

from backend.extensions import db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)
SECTIONS = (
    *("tables", "indexes", "unused_indexes", "invalid_indexes", "duplicate_indexes"),
    "foreign_keys_without_index",
)
STATEMENTS = "statements"
NOT_INSTALLED = "the extension pg_stat_statements is not installed in this database"


def database_report() -> dict[str, Any]:
    """Return the database with a list for each section; `statements` is None where PostgreSQL does not count them.

    Counts of rows and scans are those of PostgreSQL's statistics, a moment old.
    """
    report: dict[str, Any] = {"database": _rows("database")[0], **{name: _rows(name) for name in SECTIONS}}
    report[STATEMENTS], report["statements_fault"] = _statements(report["database"].pop("has_statements"))
    return report


def _statements(is_installed: bool) -> tuple[list[dict[str, Any]] | None, str | None]:
    """Return the statements that took longest, or why they are not known."""
    if not is_installed:
        return None, NOT_INSTALLED
    try:
        return _rows(STATEMENTS), None
    except DBAPIError as error:
        # Installed, but not loaded by the server or not readable by this role.
        db.session.rollback()
        return None, str(error.orig).strip().splitlines()[0]


def _rows(name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session.execute(SQL[name]).mappings()]
