"""Roles of the database: the owner of the tables, and the application's role (docs/security.md)."""

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
class DatabaseRole:
    """Login role, with a password or by the server's rules for local connections."""

    name: str
    password: str | None = None


def make_roles(admin: str | dict[str, Any], owner: DatabaseRole, application: DatabaseRole) -> None:
    """Create two roles without superuser rights: one owns all tables, the other has the rights on their rows.

    `admin` is the address of a superuser. Idempotent; passwords are set to the given ones.

    Raises:
        psycopg2.Error: the server is away, or the role lacks the right.
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
        # A failed statement in the server's log would hold the hash of a password.
        cursor.execute("SET LOCAL log_min_error_statement = panic; SET LOCAL client_min_messages = warning")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute(sql.SQL(STATEMENTS).format(**names))


def _encrypted(role: DatabaseRole, connection: Any) -> str | None:
    if role.password is None:
        return None
    verifier: str = encrypt_password(role.password, role.name, scope=connection, algorithm="scram-sha-256")
    return verifier
