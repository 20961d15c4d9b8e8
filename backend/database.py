"""Connections to PostgreSQL, directly or through a pooler, and the settings that hold on them.

A direct connection takes its settings once, in what it begins with. A pooler refuses these (PgBouncer: "unsupported
startup parameter") or drops them, and in transaction mode hands each transaction to another connection of the server:
there the settings go in front of each transaction, and end with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg2
from flask import Flask
from loguru import logger
from sqlalchemy import Connection, Engine, Executable, TextClause, create_engine, event, text
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from backend.extensions import current_settings, db, migrate
from config import Settings

REFUSED_BY_POOLER = "startup parameter"
# Where it is to be seen whether a connection has its settings.
PROBE, PROBED = "SELECT current_setting('lock_timeout')", "5s"
LOCK_TIMEOUT_MS = 5_000


def server_settings(settings: Settings) -> dict[str, str | int]:
    """What holds for every statement of the application."""
    return {
        "timezone": "UTC",
        "statement_timeout": settings.DATABASE_STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 60_000,
        "jit": "off",  # Statements are short; compiling one costs more than it saves.
    }


class DatabaseConnections:
    """Makes the connections of one process to one address; an engine's `creator`."""

    def __init__(self, url: str, settings: Settings) -> None:
        """Connects when called."""
        self.is_pooled = False
        self._is_probed = False
        self._settings = server_settings(settings)
        dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
        self._arguments, named = dialect.create_connect_args(make_url(url))  # type: ignore[no-untyped-call]
        self._named = {"connect_timeout": 3, "application_name": "fuze", **named}

    def __call__(self) -> Any:
        """A connection. Those through a pooler have no settings of their own.

        Raises:
            psycopg2.OperationalError: the server is away, or does not let us in.
        """
        if not self.is_pooled and (connection := self._connect_with_settings()) is not None:
            return connection
        return self._connect()

    def watch(self, engine: Engine) -> None:
        """Have the settings go in front of every transaction of an engine, where they have to."""
        event.listen(engine, "begin", self._begin)

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
        found = cursor.fetchone()
    connection.rollback()
    return bool(found == (PROBED,))


TRIES = 4

# What PostgreSQL says of a dead-lock, and of a key that is taken.
LOST_RACES = ("40P01", "23505")

# Where a session remembers that its transaction has compared what is there with what the caller wants to change.
COMPARED = "compared"
P = ParamSpec("P")
R = TypeVar("R")


def bind_database(app: Flask, settings: Settings, url: str) -> None:
    """Attach an engine for an address; connects on first use, so a missing PostgreSQL does not stop the start.

    Sizes are for each process; time-outs keep one slow statement from holding everything.
    """
    connections = app.extensions["database_connections"] = DatabaseConnections(url, settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": settings.DATABASE_POOL_SIZE,
            "max_overflow": 5,
            "pool_timeout": 5,
            "pool_pre_ping": True,
            "pool_recycle": 1800,
            "hide_parameters": True,  # An error's message goes into the logs, what people wrote does not.
            "creator": connections,
        },
    )
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        connections.watch(db.engine)


@contextmanager
def owner_engine() -> Iterator[Engine]:
    """The engine of the owner of the tables, past any pooler: for what changes tables or indexes, or holds a lock."""
    settings = current_settings()
    if not settings.DATABASE_MIGRATION_URL:
        yield db.engine
        return
    connections = DatabaseConnections(settings.migration_url, settings)
    engine = create_engine(settings.migration_url, poolclass=NullPool, creator=connections)
    connections.watch(engine)
    try:
        yield engine
    finally:
        engine.dispose()


_bound: list[Flask] = []


def remember_app(app: Flask) -> None:
    """Keep the application for hooks that run outside any context, such as a fork."""
    _bound[:] = [app]


def after_fork() -> None:
    """Forget connections that a parent process opened: two processes must never share one."""
    for app in _bound:
        with app.app_context():
            db.engine.dispose(close=False)


def named_statements(path: Path) -> dict[str, TextClause]:
    """Read the statements of a file, each under the name in the comment that it begins with, a blank line between."""
    statements = {}
    for block in path.read_text().split("\n\n"):
        name, _, statement = block.partition("\n")
        statements[name.removeprefix("-- ").strip()] = text(statement)
    return statements


def in_batches(statement: Executable, values: Mapping[str, Any] | None = None) -> Iterator[int]:
    """Execute a statement that changes a bounded number of rows until none is left, each time in its own transaction.

    Yields how many rows each changed, after its commit.
    """
    while number := db.session.execute(statement, values).rowcount:  # type: ignore[attr-defined]
        db.session.commit()
        yield number
    db.session.commit()


def again_after_lost_race(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function that makes one whole transaction anew when a concurrent one got in its way.

    Saving waits for links that others are saving, in the order of the unique index, before it locks those that are
    there: with deletions in between the two can still dead-lock. So can two deletions that take the same rows along.
    And a check for a name or link that is taken can be overtaken; the next try sees what overtook it, and says so.
    """

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return function(*arguments, **named)
            except DBAPIError as error:
                is_race = getattr(error.orig, "pgcode", None) in LOST_RACES
                if not is_race or db.session.info.get(COMPARED):
                    raise  # What was compared is not what another try would see.
                db.session.rollback()
        return function(*arguments, **named)

    return run
