"""PostgreSQL: connections, their settings, statements in batches, and retries on conflict.

A direct connection takes its settings once, as startup parameters. A pooler refuses these (PgBouncer: "unsupported
startup parameter") or drops them, and in transaction mode gives each transaction another connection of the server:
there `SET LOCAL` sets them in front of each transaction.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import psycopg2
from flask import Flask
from loguru import logger
from sqlalchemy import ColumnElement, Connection, Engine, Executable, Row, Select, create_engine, event, tuple_
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from backend.extensions import current_settings, db, migrate
from config import Settings

REFUSED_BY_POOLER = "startup parameter"
# Tells whether a connection has its settings.
PROBE, PROBED = "SELECT current_setting('lock_timeout')", "5s"
LOCK_TIMEOUT_MS = 5_000
# Connections of a process beyond DATABASE_POOL_SIZE, closed after their use.
MAX_OVERFLOW = 5
# Lent longer ago, a connection is checked in a round trip; the key of that time in its record.
ASK_AFTER_SECONDS = 1.0
LENT_AT = "lent_at"
# Name of the engine of a replica, and the key of the factory of its connections.
REPLICA, REPLICA_CONNECTIONS = "replica", "replica_connections"
# A replica gives a connection at once, or the primary is read.
REPLICA_POOL_SECONDS, POOL_SECONDS = 1, 5


def server_settings(settings: Settings) -> dict[str, str | int]:
    """Return the settings of PostgreSQL for every statement of the application."""
    return {
        "timezone": "UTC",
        "statement_timeout": settings.DATABASE_STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 60_000,
        "jit": "off",  # Statements are short; compiling one costs more than it saves.
    }


class DatabaseConnections:
    """Factory of the connections of one process to one address; the `creator` of an engine."""

    def __init__(self, url: str, settings: Settings) -> None:
        """Read the address; connect when called."""
        self.is_pooled = False
        self._is_probed = False
        self._settings = server_settings(settings)
        self._dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
        self._arguments, named = self._dialect.create_connect_args(make_url(url))  # type: ignore[no-untyped-call]
        self._named = {"connect_timeout": 3, "application_name": "fuze", **named}

    def __call__(self) -> Any:
        """Open a connection. Those through a pooler have no settings of their own.

        Raises:
            psycopg2.OperationalError: the server is away, or refuses the login.
        """
        if not self.is_pooled and (connection := self._connect_with_settings()) is not None:
            return connection
        return self._connect()

    def connect_asynchronously(self) -> Any:
        """Begin to open a connection without settings, which its owner polls."""
        return self._connect(async_=True)

    def set_per_transaction(self, engine: Engine) -> None:
        """Set the settings in front of every transaction of an engine that is behind a pooler."""
        event.listen(engine, "begin", self._begin)

    def check_when_lent(self, engine: Engine) -> None:
        """Have the pool of an engine replace the connections that are lost."""
        event.listen(engine, "checkout", self._check)

    def _check(self, connection: Any, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        """Ping over a connection that was idle for long, or has something to read: mostly its end."""
        lent_at, now = record.info.get(LENT_AT), time.monotonic()
        record.info[LENT_AT] = now
        if lent_at is None:
            return  # Just made.
        try:
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            if now - lent_at > ASK_AFTER_SECONDS or poll.poll(0):
                self._dialect.do_ping(connection)  # type: ignore[no-untyped-call]
        except psycopg2.Error as error:
            raise DisconnectionError("This connection is lost.") from error

    def _begin(self, connection: Connection) -> None:
        if self.is_pooled:
            statement = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in self._settings.items())
            cursor = connection.connection.cursor()
            cursor.execute(statement)
            cursor.close()

    def _connect_with_settings(self) -> Any:
        try:
            options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
            connection = self._connect(options=f"{self._named.get('options', '')} {options}".strip())
        except psycopg2.OperationalError as error:
            if REFUSED_BY_POOLER not in str(error):
                raise
            self._note_pooler()
            return None
        if not self._is_probed and not _has_settings(connection):
            connection.close()
            self._note_pooler()
            return None
        self._is_probed = True
        return connection

    def _connect(self, **more: Any) -> Any:
        return psycopg2.connect(*self._arguments, **{**self._named, **more})

    def _note_pooler(self) -> None:
        self.is_pooled = True
        logger.info("PostgreSQL is reached through a pooler: settings go in front of each transaction")


def _has_settings(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(PROBE)
        row = cursor.fetchone()
    connection.rollback()
    return bool(row == (PROBED,))


MAX_TRIES = 4

# SQLSTATE of a deadlock, and of a violated unique constraint.
CONFLICTS = ("40P01", "23505")

# Key in `session.info`: the transaction has compared a precondition of the caller (If-Match) with a row.
PRECONDITION_CHECKED = "compared"
P = ParamSpec("P")
R = TypeVar("R")


def bind_database(app: Flask, settings: Settings, url: str) -> None:
    """Attach an engine for an address; it connects on first use, so a missing PostgreSQL does not stop the start.

    Pool sizes are for each process. A replica has an engine of its own.
    """
    connections = app.extensions["database_connections"] = DatabaseConnections(url, settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings, connections, POOL_SECONDS),
        SQLALCHEMY_BINDS=_replica_binds(app, settings),
    )
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        _watch(connections, db.engine)
        if REPLICA in db.engines:
            _watch(app.extensions[REPLICA_CONNECTIONS], db.engines[REPLICA])


def _engine_options(settings: Settings, connections: DatabaseConnections, pool_seconds: int) -> dict[str, Any]:
    return {
        "pool_size": settings.DATABASE_POOL_SIZE,
        "max_overflow": MAX_OVERFLOW,
        "pool_timeout": pool_seconds,
        "pool_recycle": 1800,
        # The connection that was used last: the caches of its server process are warm.
        "pool_use_lifo": True,
        "hide_parameters": True,  # Messages of errors go into the logs; texts of people must not.
        "creator": connections,
    }


def _replica_binds(app: Flask, settings: Settings) -> dict[str | None, Any]:
    if not settings.DATABASE_REPLICA_URL:
        return {}
    url = settings.database_address("DATABASE_REPLICA_URL")
    connections = app.extensions[REPLICA_CONNECTIONS] = DatabaseConnections(url, settings)
    return {REPLICA: {"url": url, **_engine_options(settings, connections, REPLICA_POOL_SECONDS)}}


def _watch(connections: DatabaseConnections, engine: Engine) -> None:
    connections.set_per_transaction(engine)
    connections.check_when_lent(engine)


@contextmanager
def owner_engine() -> Iterator[Engine]:
    """Yield an engine of the owner of the tables, past any pooler: to change tables or indexes, or hold a lock."""
    settings = current_settings()
    if not settings.DATABASE_MIGRATION_URL:
        yield db.engine
        return
    connections = DatabaseConnections(settings.migration_url, settings)
    engine = create_engine(settings.migration_url, poolclass=NullPool, creator=connections)
    connections.set_per_transaction(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def is_away(error: BaseException | None) -> bool:
    """Tell whether an error says that PostgreSQL is away: it gave no connection, or the connection was lost."""
    if isinstance(error, DBAPIError):
        is_refused = isinstance(error, OperationalError) and getattr(error.orig, "pgcode", None) is None
        return error.connection_invalidated or is_refused
    return isinstance(error, PoolTimeout)


_applications: list[Flask] = []


def track_app(app: Flask) -> None:
    """Register the application for hooks that run outside any context, such as a fork."""
    _applications[:] = [app]


def after_fork() -> None:
    """Drop the connections of the parent process: two processes must never share one."""
    for app in _applications:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose(close=False)


def execute_in_batches(statement: Executable, values: Mapping[str, Any] | None = None) -> Iterator[int]:
    """Execute a statement on a bounded number of rows until none is left, each time in its own transaction.

    Yield the number of rows of each, after its commit.
    """
    while number := db.session.execute(statement, values).rowcount:  # type: ignore[attr-defined]
        db.session.commit()
        yield number
    db.session.commit()


def read_by_keyset(
    statement: Select[*tuple[Any, ...]],
    *key: InstrumentedAttribute[Any] | ColumnElement[Any],
    size: int,
    read: Callable[[Select[*tuple[Any, ...]]], Sequence[Row[Any]]] | None = None,
) -> Iterator[Sequence[Row[Any]]]:
    """Read the rows of a statement in the order of a unique key that is among its columns, so many at a time.

    `read` runs each statement, by default in the current transaction.
    """
    after: Sequence[Any] | None = None
    while True:
        page = statement if after is None else statement.where(tuple_(*key) > tuple_(*after))
        page = page.order_by(*key).limit(size)
        rows = db.session.execute(page).all() if read is None else read(page)
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = [rows[-1]._mapping[str(column.key)] for column in key]


def retry_on_conflict(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function again that makes one whole transaction, after a deadlock or a violated unique constraint.

    An upsert waits for concurrent inserts in the order of the unique index before it locks existing rows: with deletes
    in between the two can deadlock, as can two deletes that cascade to the same rows. A check for a taken name can be
    overtaken; the next try sees the row and reports it.
    """

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        for _ in range(MAX_TRIES - 1):
            try:
                return function(*arguments, **named)
            except DBAPIError as error:
                is_conflict = getattr(error.orig, "pgcode", None) in CONFLICTS
                if not is_conflict or db.session.info.get(PRECONDITION_CHECKED):
                    raise  # Another try would compare another row.
                db.session.rollback()
        return function(*arguments, **named)

    return run
