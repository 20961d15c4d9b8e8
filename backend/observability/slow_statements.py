"""Log of slow statements: each with the route and request id it ran for, and without the values of its parameters."""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import Flask
from loguru import logger
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from backend.extensions import db
from backend.observability.metrics.database import STARTED

# A database that is slow for everything must not fill the disk too. Bounds hold for each process.
LINES_PER_MINUTE = 60
MINUTE_SECONDS = 60.0
# Of a longer statement the rest says nothing new: rows of an insert, mostly.
MOST_STATEMENT = 4_000


def log_slow_statements(app: Flask, milliseconds: int) -> None:
    """Log the statements of an application's engine that take this long or longer; 0: none.

    `measure_database` must have been called: it notes when a statement begins.
    """
    if milliseconds:
        with app.app_context():
            SlowStatementLog(milliseconds / 1000).watch()


class SlowStatementLog:
    """Log of the slow statements of one process."""

    def __init__(self, seconds: float, lines_per_minute: int = LINES_PER_MINUTE) -> None:
        """Take the duration from which a statement is slow."""
        self._seconds = seconds
        self._most = lines_per_minute
        self._lock = threading.Lock()
        self._minute_began = 0.0
        self._lines = self._dropped = 0

    def watch(self) -> None:
        """Follow the statements of the current application's engine, those that fail included."""
        event.listen(db.engine, "after_cursor_execute", self._end_statement)
        event.listen(db.engine, "handle_error", self._end_failed_statement)

    def _end_statement(
        self,
        connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext,
        many: bool,
    ) -> None:
        seconds = time.perf_counter() - getattr(context, STARTED)
        if seconds >= self._seconds:
            self._log(statement, seconds)

    def _end_failed_statement(self, context: ExceptionContext) -> None:
        """Log a statement that was cut off: those are the slowest."""
        started = getattr(context.execution_context, STARTED, None)
        if started is not None and context.statement and time.perf_counter() - started >= self._seconds:
            sqlstate = getattr(context.original_exception, "pgcode", None)
            self._log(context.statement, time.perf_counter() - started, sqlstate=sqlstate)

    def _log(self, statement: str, seconds: float, **more: Any) -> None:
        dropped = self._count_line()
        if dropped is None:
            return
        fields = {name: value for name, value in {**more, "dropped": dropped}.items() if value}
        milliseconds = round(seconds * 1000, 2)
        shown = " ".join(statement[:MOST_STATEMENT].split())
        logger.bind(duration_ms=milliseconds, statement=shown, **fields).warning("slow statement")

    def _count_line(self) -> int | None:
        """Return how many lines were dropped before this one; None if this one is dropped too."""
        with self._lock:
            now = time.monotonic()
            if now - self._minute_began >= MINUTE_SECONDS:
                self._minute_began, self._lines = now, 0
            if self._lines >= self._most:
                self._dropped += 1
                return None
            self._lines += 1
            dropped, self._dropped = self._dropped, 0
            return dropped
