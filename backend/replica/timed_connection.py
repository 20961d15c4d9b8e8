"""Connection that answers small questions in bounded time, also where the server or the network has stopped."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from backend.database import DatabaseConnections

ANSWER_SECONDS = 2.0
EVENTS = {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}


class TimedConnection:
    """Connection outside the pool, for one thread; every statement is a transaction of its own."""

    def __init__(self, connections: DatabaseConnections) -> None:
        """Connect at the first question."""
        self._connections = connections
        self._connection: Any = None

    def ask(self, statement: str) -> tuple[Any, ...]:
        """Return the first row of a statement; connect where that is needed.

        Raises:
            psycopg2.Error: there was no answer within two seconds, or a refusal.
        """
        until = time.monotonic() + ANSWER_SECONDS
        try:
            if self._connection is None:
                self._connection = self._connections.connect_asynchronously()
                _wait(self._connection, until)
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                _wait(self._connection, until)
                row: tuple[Any, ...] = cursor.fetchone()
                return row
        except psycopg2.Error:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next question opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _wait(connection: Any, until: float) -> None:
    while (state := connection.poll()) != POLL_OK:
        waiting = select.poll()
        waiting.register(connection.fileno(), EVENTS[state])
        if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            raise psycopg2.OperationalError("there was no answer in time")
