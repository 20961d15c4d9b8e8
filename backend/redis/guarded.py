"""Client of redis-py behind a circuit breaker: while Redis is away its commands fail at once instead of waiting each.

Replies that are errors close the circuit: Redis answers. Subscriptions are not guarded, since they wait by nature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from redis.client import Pipeline

# Calls a function, or raises at once while the circuit is open.
Guard = Callable[[Callable[[], Any]], Any]


class GuardedRedis(redis.Redis):
    """Client over an existing pool, every command of which passes a guard."""

    def __init__(self, pool: redis.ConnectionPool, guard: Guard) -> None:
        """Connect on first use."""
        super().__init__(connection_pool=pool)
        self._guard = guard

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command.

        Raises:
            CircuitOpen: Redis has failed a moment ago.
        """
        execute = super().execute_command
        return guarded(self._guard, lambda: execute(*args, **options))  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> GuardedPipeline:
        """Return a pipeline that passes the guard when it is executed."""
        callbacks = self.response_callbacks
        made = GuardedPipeline(self.connection_pool, callbacks, transaction, shard_hint)
        made.guard = self._guard
        return made


class GuardedPipeline(Pipeline):
    """Pipeline that passes a guard when it is executed."""

    guard: Guard

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Execute all commands in one round trip.

        Raises:
            CircuitOpen: Redis has failed a moment ago.
        """
        execute = super().execute
        replies: list[Any] = guarded(self.guard, lambda: execute(raise_on_error))
        return replies


def guarded(guard: Guard, function: Callable[[], Any]) -> Any:
    """Call a function of redis-py; an error that Redis has replied is raised past the guard."""
    reply = guard(lambda: _reply(function))
    if isinstance(reply, _ErrorReply):
        raise reply.error
    return reply


class _ErrorReply:
    def __init__(self, error: redis.RedisError) -> None:
        self.error = error


def _reply(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (redis.ResponseError, redis.WatchError) as error:
        return _ErrorReply(error)
