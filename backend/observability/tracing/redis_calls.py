"""Spans of calls of Redis: children of what the thread works on, with names of commands, never keys or values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.trace import SpanKind, Tracer, get_current_span
from redis.client import Pipeline

from backend.observability.tracing.recorder import current
from backend.redis.connections import Command
from backend.redis.resilient import Exchange, ResilientRedis

MANY = "PIPELINE"
# A command that is packed already begins with the number of its parts and the length of its name.
NAME_LINE = 2


class RedisSpans:
    """Spans of the commands of a client, those of pipelines as one."""

    def __init__(self, tracer: Tracer) -> None:
        """Record nothing yet."""
        self._tracer = tracer

    def watch(self, gate: ResilientRedis) -> None:
        """Follow what a client sends: through itself, its pipelines, and past it."""
        client: Any = gate.client
        gate.wrap_exchange(self._traced_exchange)
        client.execute_command = self._traced(client.execute_command, lambda command: str(command[0]))
        client.pipeline = self._with_traced_execute(client.pipeline)

    def _traced_exchange(self, exchange: Exchange) -> Exchange:
        return self._traced(exchange, lambda arguments: name_of(arguments[0]))

    def _with_traced_execute(self, make: Callable[..., Pipeline]) -> Callable[..., Pipeline]:
        def pipeline(*arguments: Any, **named: Any) -> Pipeline:
            made: Any = make(*arguments, **named)
            made.execute = self._traced(made.execute, lambda _: MANY)
            return made  # type: ignore[no-any-return]

        return pipeline

    def _traced(self, call: Callable[..., Any], name: Callable[[tuple[Any, ...]], str]) -> Callable[..., Any]:
        """Record a call; outside of a request or job, such as a worker that waits for messages, none is."""

        def traced(*arguments: Any, **named: Any) -> Any:
            if not get_current_span().is_recording():
                return call(*arguments, **named)
            operation = name(arguments)
            attributes = {"db.system.name": "redis", "db.operation.name": operation}
            with current(self._tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)):
                return call(*arguments, **named)

        return traced


def name_of(commands: Sequence[Command]) -> str:
    """Return the name of a command, or that of a pipeline for several."""
    if len(commands) != 1:
        return MANY
    [command] = commands
    if isinstance(command, bytes):
        return command.split(b"\r\n", NAME_LINE + 1)[NAME_LINE].decode(errors="replace").upper()
    return str(command[0])
