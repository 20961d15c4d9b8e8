"""Checks of an external database before migrations change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import psycopg2

# NULLS NOT DISTINCT and MERGE need PostgreSQL 15; halfvec needs pgvector 0.7.
OLDEST_SERVER, OLDEST_VECTOR = 15, (0, 7)
INSPECT = Path(__file__).with_suffix(".sql").read_text()


class DatabaseUnreachable(click.ClickException):
    """The database does not answer, or refuses the login; the message is one line."""


def database_faults(address: str) -> list[str]:
    """Return the faults that keep migrations from running: each says what to type. Changes nothing.

    Raises:
        DatabaseUnreachable: the database does not answer.
    """
    try:
        with closing(psycopg2.connect(address, connect_timeout=3)) as connection, connection.cursor() as cursor:
            cursor.execute(INSPECT)
            names = [column.name for column in cursor.description or ()]
            values = dict(zip(names, cursor.fetchone() or (), strict=True))
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise DatabaseUnreachable(f"the database does not answer: {lines[0]}") from None
    return list(_faults(values))


def _faults(values: dict[str, Any]) -> Iterator[str]:
    database, role = values["database"], values["role"]
    if values["server"] < OLDEST_SERVER:
        yield f"PostgreSQL {values['server']} is too old: Fuze needs {OLDEST_SERVER} or newer"
    if values["encoding"] != "UTF8":
        yield (
            f"the database {database} is encoded in {values['encoding']}, which cannot hold every text: make one with"
            f" CREATE DATABASE {database}_utf8 ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0 and name it in"
            " DATABASE_URL"
        )
    if values["vector"] is None and values["available"] is None:
        yield "the server lacks the extension vector: install pgvector there, such as Debian's postgresql-18-pgvector"
    elif values["vector"] is None and not values["may_extend"]:
        yield (
            f"the role {role} may not make the extension vector: as a superuser type CREATE EXTENSION vector in the"
            f" database {database}"
        )
    elif _version(values["vector"] or values["available"]) < OLDEST_VECTOR:
        yield (
            f"the extension vector {values['vector'] or values['available']} is too old: install pgvector 0.7 or newer,"
            " then type ALTER EXTENSION vector UPDATE"
        )
    if not values["has_tables"] and not values["may_create"]:
        yield f"the role {role} may not make tables: type GRANT CREATE ON SCHEMA public TO {role} in {database}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
