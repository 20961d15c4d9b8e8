"""Connections to Redis for questions that every request asks.

A pool of redis-py looks at each connection, counts it and takes two locks whenever it is handed out: longer than Redis
takes for the answer. Here one that was used a moment ago goes out again as it is.
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

# Idle for longer, a connection is looked at before it is used: Redis may have closed it.
CHECK_AFTER_SECONDS = 1.0
# So long a thread waits for another's.
MAX_WAIT_SECONDS, RETRY_SECONDS = 2.0, 0.001


Command = Sequence[Any] | bytes


def pack(command: Command) -> bytes:
    """A command as Redis reads it: its parts are text, bytes or numbers."""
    return command if isinstance(command, bytes) else hiredis.pack_command(tuple(command))


class RedisConnections:
    """Those of one process: as many as threads ask at once, and no more than its pool would have."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        """Connects on first use; `pool` says how."""
        self._pool = pool
        self._made, self._making = 0, threading.Lock()
        self._process = os.getpid()
        # The last used first, each with when that was; a deque needs no lock.
        self._idle: deque[tuple[AbstractConnection, float]] = deque()

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The answers, errors of single commands among them. One round trip.

        A command that is bytes has been packed before.

        Raises:
            RedisError: Redis cannot be reached, or does not answer in time.
        """
        packed = b"".join(map(pack, commands))
        connection = self._take()
        try:
            connection.send_packed_command([packed])  # type: ignore[no-untyped-call]
            answers = [_answer_of(connection) for _ in commands]
        except BaseException:
            # What is still to come on it would be taken for the answer to something else: it is cut off before another
            # thread can take it. The others have lost the same Redis, most likely.
            connection.disconnect()  # type: ignore[no-untyped-call]
            self._give_back(connection)
            self._disconnect_idle()
            raise
        self._give_back(connection)
        return answers

    def _take(self) -> AbstractConnection:
        if self._process != os.getpid():
            # After a fork: two processes must never share one.
            self._process, self._idle, self._made = os.getpid(), deque(), 0
        end = 0.0
        while True:
            try:
                connection, used_at = self._idle.pop()
                break
            except IndexError:
                made = self._make()
            if made is not None:
                return made
            end = end or time.monotonic() + MAX_WAIT_SECONDS
            if time.monotonic() > end:
                raise NoConnection("all connections are in use")
            time.sleep(RETRY_SECONDS)
        if time.monotonic() - used_at > CHECK_AFTER_SECONDS and _is_lost(connection):
            connection.disconnect()  # type: ignore[no-untyped-call]
        return connection

    def _make(self) -> AbstractConnection | None:
        """Another connection, if there may be one more."""
        with self._making:
            if self._made >= self._pool.max_connections:
                return None
            self._made += 1
        return cast("AbstractConnection", self._pool.make_connection())

    def _give_back(self, connection: AbstractConnection) -> None:
        self._idle.append((connection, time.monotonic()))

    def _disconnect_idle(self) -> None:
        taken = []
        while self._idle:
            try:
                taken.append(self._idle.pop())
            except IndexError:
                break  # Another thread was faster.
        for connection, _ in taken:
            connection.disconnect()  # type: ignore[no-untyped-call]
        self._idle.extend(taken)


def _is_lost(connection: AbstractConnection) -> bool:
    """Whether there is something to read before anything was asked: the end of the connection."""
    try:
        return connection.can_read()
    except (NoConnection, OSError):
        return True


def _answer_of(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
