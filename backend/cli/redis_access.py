"""What a command says when Redis refuses access."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from redis.exceptions import AuthenticationError, NoPermissionError

from backend.redis.faults import redis_fault


@contextmanager
def report_redis_refusal() -> Iterator[None]:
    """Report in one line that Redis refuses access.

    Raises:
        ClickException: a wrong password, or a missing right.
    """
    try:
        yield
    except (AuthenticationError, NoPermissionError) as error:
        raise click.ClickException(redis_fault(error)) from None
