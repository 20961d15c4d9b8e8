"""Statements that only read may take less time than others: a dear query must not hold a connection for long."""

from __future__ import annotations

from typing import Any

from flask import Flask, has_request_context, request
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from backend.extensions import current_settings, db

READS = ("GET", "HEAD")
# Where a connection remembers that the transaction it is in has the time-out.
BOUNDED = "is_bounded"


def bound_reads(app: Flask) -> None:
    """Give the transactions of requests that read a time-out of their own.

    It goes along with the transaction's first statement, in the same message: no round trip more, and nothing that a
    pooler between here and PostgreSQL would have to remember.
    """
    with app.app_context():
        event.listen(db.engine, "begin", _begin)
        event.listen(db.engine, "do_execute", _execute)


def _begin(connection: Connection) -> None:
    connection.info.pop(BOUNDED, None)


def _execute(cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> bool | None:
    """Execute a statement; None leaves it to SQLAlchemy."""
    info = context.root_connection.info
    if BOUNDED in info or not has_request_context() or request.method not in READS:
        return None
    milliseconds = current_settings().DATABASE_READ_TIMEOUT_MS
    cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}; {statement}", parameters)
    info[BOUNDED] = True
    return True
