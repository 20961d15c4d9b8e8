"""A database that is saved and restored, read as a whole."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from backend.cli.database import upgrade_tables
from backend.extensions import Base
from backend.local_stack.postgres import find_programs
from config import Settings


class Stored:
    """A database, its data directory, and the place of its backup."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self.settings = settings
        self.path = path

    @cached_property
    def engine(self) -> Engine:
        return create_engine(self.settings.database_url, pool_size=1)

    def migrate(self) -> None:
        """Bring the tables up to the newest revision, as `db upgrade` does."""
        upgrade_tables(self.settings)

    def execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def rows(self) -> dict[str, list[str]]:
        """All rows of all tables, as texts."""
        return {name: self.rows_of(name) for name in [*Base.metadata.tables, "alembic_version"]}

    def rows_of(self, table: str) -> list[str]:
        """The rows of a table, as texts."""
        with self.engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT t::text FROM {table} AS t ORDER BY 1")))

    def schema(self) -> str:
        """Tables, indexes, constraints, triggers, functions and positions of sequences."""
        program = str(find_programs() / "pg_dump")
        options = ["--schema-only", "--sequence-data", "--no-owner", "--no-privileges", "--restrict-key=same"]
        return subprocess.run(
            [program, *options, self.settings.libpq_address], capture_output=True, text=True, check=True
        ).stdout
