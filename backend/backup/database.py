"""The database of a backup: one snapshot to dump, and one transaction that loads it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import IO, Any

import psycopg2
from psycopg2 import sql

from backend.backup.errors import BackupError
from backend.backup.programs import DUMP, RESTORE, SHELL, ClientPrograms, ServerAddress, running
from backend.database import DatabaseConnections
from backend.named_blocks import read_blocks
from config import Settings

SQL = read_blocks(__file__.replace(".py", ".sql"))
# The number of migrations/env.py: nobody migrates a database that is being loaded.
MIGRATION_LOCK = 7_303_014_251
LOCK_WAIT = "10s"
SHELL_SECONDS = 0.5
# What the server has already, and the role may not be allowed to make.
LEFT_OUT = (" SCHEMA - public ", " COMMENT - SCHEMA public ", " EXTENSION - ", " COMMENT - EXTENSION ")
BEFORE = """
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL lock_timeout = '{wait}';
SELECT pg_advisory_xact_lock({lock});
{drop}
CREATE EXTENSION IF NOT EXISTS vector;
"""


class DatabaseSession:
    """Session at the database that is saved or restored."""

    def __init__(self, connection: Any) -> None:
        """Use an open connection."""
        self._connection = connection

    @property
    def server(self) -> int:
        """The major version of the server."""
        return int(self._connection.server_version // 10_000)

    def begin_snapshot(self) -> str:
        """Begin a transaction that sees one moment; return the name under which others see the same."""
        self._connection.rollback()
        self._connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        return str(self._value("SELECT pg_export_snapshot()"))

    def revision(self) -> str | None:
        """Return the revision of the tables; None where no migration has run."""
        if self._value("SELECT to_regclass('public.alembic_version')") is None:
            return None
        revision: str | None = self._value("SELECT version_num FROM public.alembic_version")
        return revision

    def count_rows(self) -> dict[str, int]:
        """Count the rows of each table."""
        statement = sql.SQL("SELECT count(*) FROM public.{}")
        return {name: self._value(statement.format(sql.Identifier(name))) for name in self._tables()}

    def is_empty(self) -> bool:
        """Tell whether nothing is lost when the tables go: there are none, or those of Fuze without anybody in them."""
        tables = self._tables()
        if not tables:
            return True
        if not {"alembic_version", "organizations", "users"} <= set(tables):
            return False
        return not self._value("SELECT EXISTS (SELECT FROM public.users) OR EXISTS (SELECT FROM public.organizations)")

    def count_others(self) -> int:
        """Count the sessions of Fuze beside this one."""
        return int(self._value(SQL["others"]))

    def end(self) -> None:
        """End the transaction, so that this session holds no lock."""
        self._connection.rollback()

    def _tables(self) -> list[str]:
        with self._connection.cursor() as cursor:
            cursor.execute(SQL["tables"])
            return [name for (name,) in cursor.fetchall()]

    def _value(self, statement: Any) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]


@contextmanager
def connect(settings: Settings) -> Iterator[DatabaseSession]:
    """Yield a session of the owner of the tables, without time-outs.

    Raises:
        BackupError: the database does not answer, refuses a statement, or is behind a pooler.
    """
    connections = DatabaseConnections(settings.migration_url, settings)
    try:
        with closing(connections()) as connection:
            if connections.is_pooled:
                raise BackupError("a pooler is in the way: set DATABASE_MIGRATION_URL to PostgreSQL's own address")
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            connection.commit()
            yield DatabaseSession(connection)
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise BackupError(f"the database does not answer: {lines[0]}") from None


def dump(address: ServerAddress, programs: ClientPrograms, snapshot: str, store: Callable[[IO[bytes]], None]) -> None:
    """Pass a dump of a snapshot to `store`, as a stream.

    Raises:
        BackupError: pg_dump failed.
    """
    argv = [
        *(programs.path(DUMP), "--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s"),
        *("--schema=public", "--schema=activity_partitions", f"--snapshot={snapshot}", f"--dbname={address.dsn}"),
    ]
    with running(address, argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        store(process.stdout)


def load(address: ServerAddress, programs: ClientPrograms, open_dump: Callable[[], IO[bytes]]) -> None:
    """Drop all tables and load a dump, in one transaction: either everything is replaced, or nothing.

    Raises:
        BackupError: the dump cannot be read, or the server refuses it. Nothing has changed.
    """
    shell = [programs.path(SHELL), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address.dsn}"]
    before = BEFORE.format(wait=LOCK_WAIT, lock=MIGRATION_LOCK, drop=SQL["drop_everything"])
    with tempfile.NamedTemporaryFile("wb", prefix="fuze-restore-") as contents:
        contents.write(_contents(address, programs, open_dump))
        contents.flush()
        with running(address, shell, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            process.stdin.write(before.encode())
            process.stdin.flush()
            _write_script(address, programs, open_dump, contents.name, process)
            # Only now: at the end of an input that was cut off psql rolls back.
            process.stdin.write(b"\nCOMMIT;\n")


def _write_script(
    address: ServerAddress,
    programs: ClientPrograms,
    open_dump: Callable[[], IO[bytes]],
    contents: str,
    shell: subprocess.Popen[bytes],
) -> None:
    """Have pg_restore write its statements into the shell.

    Raises:
        BackupError: pg_restore failed, and not for want of the shell.
    """
    argv = [programs.path(RESTORE), "--no-owner", "--no-privileges", f"--use-list={contents}", "--file=-"]
    try:
        with running(address, argv, stdin=subprocess.PIPE, stdout=shell.stdin) as process, open_dump() as source:
            assert process.stdin is not None
            shutil.copyfileobj(source, process.stdin, 1024 * 1024)
    except BackupError:
        # Whichever of the two ended first says why; the other one sees it a moment later.
        with suppress(subprocess.TimeoutExpired):
            shell.wait(SHELL_SECONDS)
        if shell.poll() is None:
            raise
        raise BrokenPipeError from None  # The shell has ended before, and says why.


def _contents(address: ServerAddress, programs: ClientPrograms, open_dump: Callable[[], IO[bytes]]) -> bytes:
    """Return the list of what a dump holds, without what the server has already."""
    with tempfile.TemporaryFile() as listed:
        argv = [programs.path(RESTORE), "--list"]
        # It reads the beginning only.
        with running(address, argv, stdin=subprocess.PIPE, stdout=listed) as process, open_dump() as source:
            assert process.stdin is not None
            shutil.copyfileobj(source, process.stdin)
        listed.seek(0)
        lines = listed.read().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not any(part in line for part in LEFT_OUT)).encode()
