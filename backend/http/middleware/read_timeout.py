"""Statement time-out of reads: shorter than others', so that a slow query does not hold a connection for long."""

from __future__ import annotations

from typing import Any

from flask import Flask, has_request_context, request
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from backend.extensions import current_settings, db
from backend.http.request_state import request_state

READS = ("GET", "HEAD")


def bound_reads(app: Flask) -> None:
    """Set a time-out in the transactions of requests that read.

    It is sent with the first statement, in the same message: no extra round trip, and no state in a pooler.
    """
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "begin", _begin)
            event.listen(engine, "do_execute", _execute)


def _begin(connection: Connection) -> None:
    if has_request_context() and request.method in READS:
        request_state().unexecuted = connection


def _execute(cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> bool | None:
    """Execute the first statement of a transaction; None leaves all others to SQLAlchemy."""
    if not has_request_context() or request_state().unexecuted is not context.root_connection:
        return None
    request_state().unexecuted = None
    settings = current_settings()
    milliseconds = min(settings.DATABASE_READ_TIMEOUT_MS, settings.DATABASE_STATEMENT_TIMEOUT_MS)
    cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}; {statement}", parameters)
    return True
