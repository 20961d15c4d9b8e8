"""The replica of an application: its lag, and sessions that read there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg2
from flask import Flask, current_app
from flask_sqlalchemy.session import Session
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from backend.database import REPLICA, REPLICA_CONNECTIONS
from backend.extensions import db
from backend.replica.monitor import ReplicaMonitor
from backend.replica.timed_connection import TimedConnection
from config import Settings

# Between the clocks of this process and of Redis, which says how long ago a write was.
MARGIN_SECONDS = 0.25


class ReplicaSession(Session):
    """Session whose statements all go to the replica."""

    def get_bind(self, *_: Any, **__: Any) -> Engine:
        """Return the engine of the replica."""
        return self._db.engines[REPLICA]


class Replica:
    """A replica, and how far it may be behind."""

    def __init__(self, engine: Engine, primary: TimedConnection, replica: TimedConnection, most_behind: float) -> None:
        """Follow the engine's connections; ask nobody yet.

        Args:
            engine: Of the replica.
            primary: For the monitor.
            replica: For the monitor.
            most_behind: Seconds; a replica that is further behind is not read.
        """
        self._most_behind = most_behind
        self._lent: set[Any] = set()
        self.monitor = ReplicaMonitor(primary, replica, most_seconds=most_behind, on_loss=self._cut_off)
        event.listen(engine, "checkout", self._lend)
        event.listen(engine, "checkin", self._take_back)

    @property
    def is_usable(self) -> bool:
        """Tell whether the replica answers, and is not too far behind."""
        lag = self.monitor.lag()
        return lag is not None and lag <= self._most_behind

    def holds(self, age: float) -> bool:
        """Tell whether the replica certainly holds what was committed so many seconds before this call."""
        lag = self.monitor.lag()
        return lag is not None and lag <= self._most_behind and lag + MARGIN_SECONDS < age

    def fault(self) -> str | None:
        """Return why reads go to the primary, for people; None where they need not."""
        lag = self.monitor.lag()
        if self.monitor.fault is not None:
            return self.monitor.fault
        if lag is None or lag > self._most_behind:
            return f"The replica is more than {self._most_behind:g} s behind."
        return None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let `db.session` be one that reads the replica."""
        sessions = db.session.registry
        on_primary = sessions()
        on_primary.close()  # A transaction on the primary would hold its connection meanwhile.
        on_replica = ReplicaSession(db, expire_on_commit=False)
        sessions.set(on_replica)
        try:
            yield
        finally:
            sessions.set(on_primary)
            on_replica.close()

    def _lend(self, connection: Any, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        self._lent.add(connection)

    def _take_back(self, connection: Any, record: ConnectionPoolEntry) -> None:
        self._lent.discard(connection)

    def _cut_off(self) -> None:
        """End the statements that wait for a replica which has stopped: time-outs of statements are the server's."""
        for connection in list(self._lent):
            with suppress(psycopg2.Error, OSError):
                _shut_down(connection)


def bind_replica(app: Flask, settings: Settings) -> None:
    """Attach the replica to an application that has one."""
    connections = app.extensions.get(REPLICA_CONNECTIONS)
    if connections is None:
        return
    with app.app_context():
        app.extensions[REPLICA] = Replica(
            db.engines[REPLICA],
            TimedConnection(app.extensions["database_connections"]),
            TimedConnection(connections),
            settings.DATABASE_REPLICA_MAX_LAG_SECONDS,
        )


def bound_replica() -> Replica | None:
    """Return the replica of the running application; None without one."""
    return cast("Replica | None", current_app.extensions.get(REPLICA))


def read_replica() -> Replica | None:
    """Return the replica that the current session reads; None where it reads the primary."""
    replica = bound_replica()
    return replica if replica is not None and isinstance(db.session(), ReplicaSession) else None


def _shut_down(connection: Any) -> None:
    """Shut the socket of a connection down while another thread waits for it; that thread closes it."""
    number = connection.fileno()
    with socket.socket(fileno=os.dup(number)) as duplicate:
        # Closed meanwhile, its number may be that of another socket.
        if connection.fileno() == number:
            duplicate.shutdown(socket.SHUT_RDWR)
