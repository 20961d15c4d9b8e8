"""Metrics of the database: durations of statements by kind, and the connections of this process's pool."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.pool import ConnectionPoolEntry

from backend.extensions import db
from backend.observability.metrics import families

# Of a statement that begins with another word the kind is "other". One that begins with WITH may be of any.
KINDS = ("select", "insert", "update", "delete", "with")
OTHER = "other"
DURATIONS = {kind: families.QUERY_DURATION.labels(kind) for kind in (*KINDS, OTHER)}
LONGEST_KIND = 6
STARTED = "_metrics_started"
CHECKED_OUT = "is_checked_out"


def measure_database(app: Flask, *, pool_size: int, max_overflow: int) -> None:
    """Measure the statements and connections of an application's engines, which have a pool of this size each."""
    with app.app_context():
        engines = list(db.engines.values())
    gauges = PoolGauges(pool_size * len(engines), max_overflow * len(engines))
    for engine in engines:
        event.listen(engine, "before_cursor_execute", _begin_statement)
        event.listen(engine, "after_cursor_execute", _end_statement)
        event.listen(engine, "handle_error", _count_error)
        gauges.watch(engine)


class PoolGauges:
    """Gauges of the connection pools of a process."""

    def __init__(self, size: int, max_overflow: int) -> None:
        self._size, self._capacity = size, size + max_overflow
        self._lock = threading.Lock()
        self._process, self._open = os.getpid(), 0

    def watch(self, engine: Engine) -> None:
        """Follow what the pool of an engine does, beside those of others."""
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "close", self._closed)
        event.listen(engine, "checkout", _checked_out)
        event.listen(engine, "checkin", _checked_in)

    def _opened(self, connection: Any, record: ConnectionPoolEntry) -> None:
        self._change(1)

    def _closed(self, connection: Any, record: ConnectionPoolEntry) -> None:
        self._change(-1)

    def _change(self, number: int) -> None:
        with self._lock:
            if self._process != os.getpid():
                # A fork begins with an empty pool.
                self._process, self._open = os.getpid(), 0
            self._open = max(0, self._open + number)
            families.POOL_SIZE.set(self._size)
            families.POOL_CAPACITY.set(self._capacity)
            families.CONNECTIONS_OPEN.set(self._open)
            families.POOL_OVERFLOW.set(max(0, self._open - self._size))


def _checked_out(connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
    # Notes about a place in the pool, which outlive its connection.
    assert record.record_info is not None
    record.record_info[CHECKED_OUT] = True
    families.CONNECTIONS_CHECKED_OUT.inc()


def _checked_in(connection: Any, record: ConnectionPoolEntry) -> None:
    # Also called for a connection that was never lent, since it turned out to be lost.
    if record.record_info is not None and record.record_info.pop(CHECKED_OUT, False):
        families.CONNECTIONS_CHECKED_OUT.dec()


def _begin_statement(
    connection: Connection, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext, many: bool
) -> None:
    setattr(context, STARTED, time.perf_counter())


def _end_statement(
    connection: Connection, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext, many: bool
) -> None:
    seconds = time.perf_counter() - getattr(context, STARTED)
    DURATIONS[statement_kind(statement)].observe(seconds)


def _count_error(context: ExceptionContext) -> None:
    if context.statement is not None:
        families.QUERY_ERRORS.inc()


def statement_kind(statement: str) -> str:
    """Return the kind of an SQL statement: its first word, if that is one of few."""
    word = statement.lstrip()[:LONGEST_KIND].partition(" ")[0].partition("\n")[0].lower()
    return word if word in DURATIONS else OTHER
