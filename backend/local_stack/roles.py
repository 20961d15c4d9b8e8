"""The roles of the database: who owns the tables, and who works with their rows (docs/security.md)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

STATEMENTS = (Path(__file__).parent / "roles.sql").read_text()


@dataclass(frozen=True)
class Role:
    """A role that logs in, with a password or as the server's rules for local connections let it."""

    name: str
    password: str | None = None


def make_roles(admin: str | dict[str, Any], owner: Role, application: Role) -> None:
    """Make two roles that are no superusers, give one all tables and the other the rights on their rows.

    `admin` connects a superuser to the database. Safe to repeat; passwords become those that are given.

    Raises:
        psycopg2.Error: the server is away, or lets this role not do so.
    """
    target = {"dsn": admin} if isinstance(admin, str) else admin
    with closing(psycopg2.connect(**target)) as connection, connection, connection.cursor() as cursor:
        names = {
            "database": sql.Identifier(connection.info.dbname),
            "owner": sql.Identifier(owner.name),
            "application": sql.Identifier(application.name),
            "owner_name": sql.Literal(owner.name),
            "application_name": sql.Literal(application.name),
            "owner_password": sql.Literal(_encrypted(owner, connection)),
            "application_password": sql.Literal(_encrypted(application, connection)),
        }
        # What is wrong stands in the error: a statement in the server's log could hold a password's hash.
        cursor.execute("SET LOCAL log_min_error_statement = panic; SET LOCAL client_min_messages = warning")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute(sql.SQL(STATEMENTS).format(**names))


def _encrypted(role: Role, connection: Any) -> str | None:
    if role.password is None:
        return None
    made: str = encrypt_password(role.password, role.name, scope=connection, algorithm="scram-sha-256")
    return made
