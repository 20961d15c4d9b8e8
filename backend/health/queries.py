"""Queries of health checks and metrics: what waits, and since when."""

from __future__ import annotations

from backend.extensions import db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)


def oldest_due_seconds() -> dict[str, float]:
    """Return for how many seconds the first `job` and the first `capture` have been due; 0 where none is."""
    row = db.session.execute(SQL["oldest_due"]).one()
    return {"job": round(float(row.job or 0), 1), "capture": round(float(row.capture or 0), 1)}


def count_failing_mails() -> int:
    """Count the mails that wait for another try after one that failed."""
    return db.session.scalar(SQL["failing_mails"]) or 0


def database_revision() -> str | None:
    """Return the revision of the tables; None where no migration has run."""
    revision: str | None = db.session.scalar(SQL["revision"])
    return revision
