"""Counting SQL statements, and waiting for one that waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text

from backend.extensions import db


class SqlCounter:
    """Listens to an engine and remembers every statement."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements: list[str] = []
        self.parameters: list[Any] = []
        event.listen(engine, "before_cursor_execute", self._remember)

    def _remember(self, *arguments: Any) -> None:
        self.statements.append(arguments[2])
        self.parameters.append(arguments[3])

    def close(self) -> None:
        event.remove(self.engine, "before_cursor_execute", self._remember)

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.statements.clear()
        self.parameters.clear()

    def plans(self) -> list[str]:
        """PostgreSQL's plans for the queries sent since the last `clear`, with the values they were sent with.

        Settings that a query makes for the rest of its transaction are made here too.
        """
        sent = [
            (statement, values)
            for statement, values in zip(self.statements, self.parameters, strict=True)
            if statement.lstrip().upper().startswith(("SELECT", "WITH"))
        ]
        with self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            plans = []
            for statement, values in sent:
                cursor.execute(f"EXPLAIN {statement}", values)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
                if "set_config" in statement:
                    cursor.execute(statement, values)
        return plans

    @contextmanager
    def at_most(self, number: int) -> Iterator[None]:
        """Fail if the block sends more statements than this, or none where some may come: then it measured nothing."""
        self.clear()
        yield
        assert self.statements or not number, "nothing was sent: was the answer kept?"
        assert len(self.statements) <= number, "\n".join(self.statements)


def until_something_waits() -> None:
    """Return as soon as a statement waits for a lock. Needs an application context."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(2_000):
        with db.engine.connect() as connection:
            if connection.scalar(waits):
                return
            connection.execute(text("SELECT pg_sleep(0.005)"))
    raise AssertionError("nobody waits")
