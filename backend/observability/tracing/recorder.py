"""Recorder of spans: what `backend.spans` is told, as spans of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from backend import spans

KINDS = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
ERROR_TYPE = "error.type"
_propagator = TraceContextTextMapPropagator()


class OpenTelemetryRecorder:
    """Recorder that makes spans of a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        """Record nothing yet."""
        self._tracer = tracer

    @contextmanager
    def child(self, name: str, kind: spans.SpanKind, attributes: spans.SpanAttributes) -> Iterator[None]:
        """Record a block as a child of the current span, if that is recorded."""
        if not get_current_span().is_recording():
            yield
            return
        with current(self._tracer.start_span(name, kind=KINDS[kind], attributes=dict(attributes))):
            yield

    @contextmanager
    def continued(
        self, name: str, kind: spans.SpanKind, attributes: spans.SpanAttributes, traceparent: str
    ) -> Iterator[None]:
        """Record a block as a child of a span elsewhere."""
        parent = remote_parent({TRACEPARENT: traceparent})
        with current(self._tracer.start_span(name, parent, kind=KINDS[kind], attributes=dict(attributes))):
            yield

    def annotate(self, attributes: spans.SpanAttributes, fault: str) -> None:
        """Add to the current span."""
        span = get_current_span()
        if attributes:
            span.set_attributes(dict(attributes))
        if fault:
            fail(span, fault)

    def traceparent(self) -> str:
        """Return the identity of the current span, also of one that is not sampled."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get(TRACEPARENT, "")


@contextmanager
def current(span: Span) -> Iterator[Span]:
    """Make a span that of the thread, and end it with the block. Of an exception only the type is recorded."""
    token = attach(set_span_in_context(span))
    try:
        yield span
    except BaseException as error:
        fail(span, type(error).__qualname__)
        raise
    finally:
        detach(token)
        span.end()


def fail(span: Span, fault: str) -> None:
    """Mark a span as failed. No message: those of exceptions quote values."""
    span.set_attribute(ERROR_TYPE, fault)
    span.set_status(Status(StatusCode.ERROR))


def remote_parent(carrier: Mapping[str, str]) -> Context:
    """Return the context of a span elsewhere; an empty one if what the caller says is malformed."""
    # Without the thread's context: what it works on otherwise is not the parent.
    return _propagator.extract({**carrier}, set_span_in_context(INVALID_SPAN, Context()))


def current_trace_id() -> str:
    """Return the id of the current trace in hexadecimal digits; empty outside of one."""
    context = get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""
