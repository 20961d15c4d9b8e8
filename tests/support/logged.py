"""Everything that is logged while a block runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger


@contextmanager
def logged(pattern: str = "{message} {extra} {exception}") -> Iterator[list[str]]:
    """The lines that are logged in the block, with all that is bound to them."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="TRACE", format=pattern)
    try:
        yield lines
    finally:
        logger.remove(sink)
