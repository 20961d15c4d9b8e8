"""How many SQL statements the embedded PostgreSQL gets: it writes each into the stack's log, and they are counted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from sqlalchemy import make_url

from backend.local_stack.postgres import SUPERUSER
from benchmarks.stack import RunningStack

QUIET_SECONDS = 1.0
# However many lines a statement has, this comes once, before its first word.
LOGGED = re.compile(rb"LOG: +statement: *(.*)")
CONTROL = {b"BEGIN", b"COMMIT", b"ROLLBACK", b"SAVEPOINT", b"RELEASE", b"SET", b"SHOW", b""}
PING = b"SELECT 1"
# What goes along with the first statement of a request that reads.
TIMEOUT = re.compile(rb"^SET LOCAL statement_timeout = \d+; *")


@dataclass
class Statements:
    """How many statements did something, and how many only begin, end or try a connection."""

    work: int = 0
    control: int = 0


@contextmanager
def counted_statements(stack: RunningStack) -> Iterator[Statements]:
    """Count what PostgreSQL gets during the block; the numbers are there after it."""
    counted = Statements()
    _log_statements(stack, "all")
    _wait_until_still(stack.log)
    start = stack.log.stat().st_size
    try:
        yield counted
    finally:
        _wait_until_still(stack.log)
        written = stack.log.read_bytes()[start:]
        _log_statements(stack, "none")
    counted.work, counted.control = count_statements(written)


def count_statements(log: bytes) -> tuple[int, int]:
    """Those that did something, and those that only begin, end or try a connection."""
    lines = [TIMEOUT.sub(b"", line.strip()).rstrip(b";") for line in LOGGED.findall(log)]
    control = sum(line == PING or line.partition(b" ")[0].upper() in CONTROL for line in lines)
    return len(lines) - control, control


def _log_statements(stack: RunningStack, which: str) -> None:
    url = make_url(stack.addresses()["DATABASE_URL"])
    host = url.query.get("host") or url.host
    with closing(psycopg2.connect(dbname=url.database, user=SUPERUSER, host=host)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
            cursor.execute("SELECT pg_reload_conf()")


def _wait_until_still(log: Path) -> None:
    """The stack's own process copies what PostgreSQL writes; it may be behind."""
    size, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(0.1)
        if log.stat().st_size != size:
            size, since = log.stat().st_size, time.monotonic()
