"""Spans of SQL statements: children of what the thread works on. Values are never recorded."""

from __future__ import annotations

import re
from typing import Any

from opentelemetry.trace import Span, SpanKind, Tracer, get_current_span
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from backend.observability.metrics.database import statement_kind
from backend.observability.tracing.recorder import fail

SPAN = "_trace_span"
MOST_STATEMENT = 2_000
# Statements have placeholders for values; constants of our own code are hidden with them, to be certain.
LITERAL = re.compile(r"'(?:[^']|'')*'")


class StatementSpans:
    """Spans of the statements of an engine."""

    def __init__(self, tracer: Tracer) -> None:
        """Record nothing yet."""
        self._tracer = tracer

    def watch(self, engine: Engine) -> None:
        """Follow what an engine executes."""
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", _end)
        event.listen(engine, "handle_error", _end_failed)

    def _begin(
        self,
        connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext,
        many: bool,
    ) -> None:
        if get_current_span().is_recording():
            operation = statement_kind(statement).upper()
            attributes = {
                "db.system.name": "postgresql",
                "db.operation.name": operation,
                "db.query.text": shown_statement(statement),
            }
            setattr(context, SPAN, self._tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes))


def shown_statement(statement: str) -> str:
    """Return a statement as it may leave this machine: in one line, without values, cut at 2,000 characters."""
    return " ".join(LITERAL.sub("'?'", statement).split())[:MOST_STATEMENT]


def _end(
    connection: Connection, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext, many: bool
) -> None:
    span: Span | None = getattr(context, SPAN, None)
    if span is not None:
        span.end()
        setattr(context, SPAN, None)


def _end_failed(failure: ExceptionContext) -> None:
    span: Span | None = getattr(failure.execution_context, SPAN, None)
    if span is not None:
        state = getattr(failure.original_exception, "pgcode", None)
        fail(span, state or type(failure.original_exception).__qualname__)
        span.end()
        setattr(failure.execution_context, SPAN, None)
