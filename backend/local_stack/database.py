"""What is wrong with a database that was given, found before anything in it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click
import psycopg2

# What is asked of PostgreSQL: NULLS NOT DISTINCT and MERGE came with 15; of pgvector: halfvec came with 0.7.
OLDEST_SERVER, OLDEST_VECTOR = 15, (0, 7)
INSPECT = """
    SELECT current_database() AS database, current_user AS role,
           current_setting('server_version_num')::int / 10000 AS server,
           current_setting('server_encoding') AS encoding,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
           EXISTS (SELECT FROM pg_available_extension_versions v
                    WHERE name = 'vector' AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                       OR name = 'vector' AND v.trusted AND has_database_privilege(current_database(), 'CREATE')
           ) AS may_extend,
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
           to_regclass('alembic_version') IS NOT NULL AS has_tables
"""


class DatabaseUnreachable(click.ClickException):
    """The database does not answer, or lets us not in; the message is one line."""


def database_faults(address: str) -> list[str]:
    """What keeps migrations from running on the database at a libpq address: each says what to type. Changes nothing.

    Raises:
        DatabaseUnreachable: nobody answers there.
    """
    try:
        with closing(psycopg2.connect(address, connect_timeout=3)) as connection, connection.cursor() as cursor:
            cursor.execute(INSPECT)
            names = [column.name for column in cursor.description or ()]
            found = dict(zip(names, cursor.fetchone() or (), strict=True))
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise DatabaseUnreachable(f"the database does not answer: {lines[0]}") from None
    return list(_faults(found))


def _faults(found: dict[str, Any]) -> Iterator[str]:
    database, role = found["database"], found["role"]
    if found["server"] < OLDEST_SERVER:
        yield f"PostgreSQL {found['server']} is too old: Fuze needs {OLDEST_SERVER} or newer"
    if found["encoding"] != "UTF8":
        yield (
            f"the database {database} is encoded in {found['encoding']}, which cannot hold every text: make one with"
            f" CREATE DATABASE {database}_utf8 ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0 and name it in"
            " DATABASE_URL"
        )
    if found["vector"] is None and found["available"] is None:
        yield "the server lacks the extension vector: install pgvector there, such as Debian's postgresql-18-pgvector"
    elif found["vector"] is None and not found["may_extend"]:
        yield (
            f"the role {role} may not make the extension vector: as a superuser type CREATE EXTENSION vector in the"
            f" database {database}"
        )
    elif _version(found["vector"] or found["available"]) < OLDEST_VECTOR:
        yield (
            f"the extension vector {found['vector'] or found['available']} is too old: install pgvector 0.7 or newer,"
            " then type ALTER EXTENSION vector UPDATE"
        )
    if not found["has_tables"] and not found["may_create"]:
        yield f"the role {role} may not make tables: type GRANT CREATE ON SCHEMA public TO {role} in {database}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
