"""One row in every table, whatever the revision of the tables: for tests that move all of them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from psycopg2 import errors
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from backend.named_blocks import read_statements

SQL = read_statements(__file__)
VALUES = {
    "boolean": "false",
    "bytea": "sha256('a')",
    "jsonb": "'{}'",
    "uuid": "gen_random_uuid()",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "vector": "'[0.5]'",
    "halfvec": "'[0.5]'",
    "text": "'a'",
}


def filled_tables(connection: Connection) -> set[str]:
    """The tables that have rows; partitions count with their table."""
    tables = connection.scalars(SQL["tables"]).all()
    return {table for table in tables if connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table})"))}


def fill_empty_tables(connection: Connection) -> set[str]:
    """Insert a row into each empty table, parents first; return the tables that no such row fits into."""
    columns: dict[str, list[Row[Any]]] = defaultdict(list)
    for column in connection.execute(SQL["columns"]):
        columns[column.table_name].append(column)
    waiting = {table for table in columns if not connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table})"))}
    while filled := {table for table in waiting if _insert(connection, table, columns[table], waiting)}:
        waiting -= filled
    return waiting


def _insert(connection: Connection, table: str, columns: list[Row[Any]], waiting: set[str]) -> bool:
    if any(column.parent in waiting - {table} for column in columns):
        return False
    # Some rows belong to one thing out of two: then without the last.
    return _insert_row(connection, table, columns) or _insert_row(connection, table, columns[:-1])


def _insert_row(connection: Connection, table: str, columns: list[Row[Any]]) -> bool:
    names = ", ".join(column.name for column in columns)
    values = ", ".join(_value(column) for column in columns)
    try:
        with connection.begin_nested():
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})".replace(":", r"\:")))
    except IntegrityError as error:
        if isinstance(error.orig, errors.CheckViolation | errors.NotNullViolation):
            return False
        raise
    return True


def _value(column: Row[Any]) -> str:
    if column.parent:
        return f"(SELECT {column.parent_column} FROM {column.parent} ORDER BY 1 LIMIT 1)"
    if column.allowed and column.type == "text":
        return f"'{column.allowed}'"
    return "'{}'" if column.type.endswith("[]") else VALUES.get(column.type, "'1'")
