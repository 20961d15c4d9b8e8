"""Connections to PostgreSQL, directly or through a pooler, and the settings that hold on them.

A direct connection takes its settings once, in what it begins with. A pooler refuses these (PgBouncer: "unsupported
startup parameter") or drops them, and in transaction mode hands each transaction to another connection of the server:
there the settings go in front of each transaction, and end with it.
"""

from __future__ import annotations

from typing import Any

import psycopg2
from loguru import logger
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import make_url

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
