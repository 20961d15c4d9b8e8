"""Connection pool to Redis for the commands of every request.

The pool of redis-py checks each connection and takes two locks whenever it lends one: longer than Redis takes to reply.
Here a connection that was used a moment ago is lent without a check.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
import redis
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as NoConnection

# Idle for longer, a connection is checked before it is used: Redis may have closed it.
CHECK_AFTER_SECONDS = 1.0
# How long a thread waits for a free connection, and how often it looks.
MAX_WAIT_SECONDS, RETRY_SECONDS = 2.0, 0.001


Command = Sequence[Any] | bytes


def pack(command: Command) -> bytes:
    """Encode a command in Redis's protocol; its parts are text, bytes or numbers."""
    return command if isinstance(command, bytes) else hiredis.pack_command(tuple(command))


class RedisConnections:
    """Connection pool of one process: as many as threads use at once, at most `max_connections` of the given pool."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        """Connect on first use; `pool` makes the connections."""
        self._pool = pool
        self._count, self._counting = 0, threading.Lock()
        self._process = os.getpid()
        # Most recently used last, each with that time; a deque needs no lock.
        self._idle: deque[tuple[AbstractConnection, float]] = deque()

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands and return the replies, errors of single commands among them. One round trip.

        A command in bytes is packed already.

        Raises:
            RedisError: Redis cannot be reached, or does not reply in time.
        """
        packed = b"".join(map(pack, commands))
        connection = self._take()
        try:
            connection.send_packed_command([packed])  # type: ignore[no-untyped-call]
            replies = [_read_reply(connection) for _ in commands]
        except BaseException:
            # Replies still to come would be read as those to other commands. The idle connections have most likely lost
            # the same Redis.
            connection.disconnect()  # type: ignore[no-untyped-call]
            self._give_back(connection)
            self._disconnect_idle()
            raise
        self._give_back(connection)
        return replies

    def _take(self) -> AbstractConnection:
        if self._process != os.getpid():
            # After a fork: two processes must never share a connection.
            self._process, self._idle, self._count = os.getpid(), deque(), 0
        end = 0.0
        while True:
            try:
                connection, used_at = self._idle.pop()
                break
            except IndexError:
                new = self._make()
            if new is not None:
                return new
            end = end or time.monotonic() + MAX_WAIT_SECONDS
            if time.monotonic() > end:
                raise NoConnection("all connections are in use")
            time.sleep(RETRY_SECONDS)
        if time.monotonic() - used_at > CHECK_AFTER_SECONDS and _is_lost(connection):
            connection.disconnect()  # type: ignore[no-untyped-call]
        return connection

    def _make(self) -> AbstractConnection | None:
        """Make another connection, unless there are `max_connections`."""
        with self._counting:
            if self._count >= self._pool.max_connections:
                return None
            self._count += 1
        return cast("AbstractConnection", self._pool.make_connection())

    def _give_back(self, connection: AbstractConnection) -> None:
        self._idle.append((connection, time.monotonic()))

    def _disconnect_idle(self) -> None:
        idle = []
        while self._idle:
            try:
                idle.append(self._idle.pop())
            except IndexError:
                break  # Another thread was faster.
        for connection, _ in idle:
            connection.disconnect()  # type: ignore[no-untyped-call]
        self._idle.extend(idle)


def _is_lost(connection: AbstractConnection) -> bool:
    """Tell whether an idle connection has something to read: its end."""
    try:
        return connection.can_read()
    except (NoConnection, OSError):
        return True


def _read_reply(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
