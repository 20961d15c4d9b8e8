"""Counting SQL statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class SqlCounter:
    """Listens to an engine and remembers every statement."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements: list[str] = []
        event.listen(engine, "before_cursor_execute", self._remember)

    def _remember(self, *arguments: Any) -> None:
        self.statements.append(arguments[2])

    def close(self) -> None:
        event.remove(self.engine, "before_cursor_execute", self._remember)

    @contextmanager
    def at_most(self, number: int) -> Iterator[None]:
        """Fail if the block sends more statements than this."""
        self.statements.clear()
        yield
        assert len(self.statements) <= number, "\n".join(self.statements)
