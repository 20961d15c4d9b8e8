"""Log context: fields that every line of a block carries, above all the id of the request that it works for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from loguru import logger

_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def log_context(*, request_id: str = "", **fields: Any) -> Iterator[None]:
    """Add fields to every line that this thread logs in the block.

    Without a request id that of the outer block stays.
    """
    if request_id:
        fields["request_id"] = request_id
    token = _request_id.set(request_id or _request_id.get())
    try:
        with logger.contextualize(**fields):
            yield
    finally:
        _request_id.reset(token)


def carried_request_id() -> str:
    """Return the id of the request that this thread works for, outside of requests too; empty if there is none."""
    return _request_id.get()
