"""Spans of traces: a step of the work, recorded where traces are on.

Whoever wants a step in the trace of a request or job calls this module. `observability.tracing` installs the recorder
if OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise a call does nothing, and no package of OpenTelemetry is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

SpanKind = Literal["internal", "client", "consumer"]
SpanAttributes = Mapping[str, str | int | float | bool]
NO_ATTRIBUTES: SpanAttributes = {}
NOTHING: AbstractContextManager[None] = nullcontext()


class SpanRecorder(Protocol):
    """What records spans. The current span is that of the thread."""

    def child(self, name: str, kind: SpanKind, attributes: SpanAttributes) -> AbstractContextManager[None]:
        """Record a block as a child of the current span."""

    def continued(
        self, name: str, kind: SpanKind, attributes: SpanAttributes, traceparent: str
    ) -> AbstractContextManager[None]:
        """Record a block as a child of a span elsewhere."""

    def annotate(self, attributes: SpanAttributes, fault: str) -> None:
        """Add to the current span."""

    def traceparent(self) -> str:
        """Return the identity of the current span."""


_recorder: SpanRecorder | None = None


def record_spans(recorder: SpanRecorder | None) -> None:
    """Have spans recorded from now on, or no more."""
    global _recorder
    _recorder = recorder


def child_span(
    name: str, kind: SpanKind = "internal", attributes: SpanAttributes = NO_ATTRIBUTES
) -> AbstractContextManager[None]:
    """Record a block as a child of the thread's span; outside of one nothing is recorded.

    Names and attributes leave this machine: they hold no texts of people, no addresses, no secrets.
    """
    return NOTHING if _recorder is None else _recorder.child(name, kind, attributes)


def continued_span(
    name: str, kind: SpanKind, attributes: SpanAttributes, traceparent: str
) -> AbstractContextManager[None]:
    """Record a block as a child of a span of another thread or process; without one it begins a trace."""
    return NOTHING if _recorder is None else _recorder.continued(name, kind, attributes, traceparent)


def annotate_span(attributes: SpanAttributes = NO_ATTRIBUTES, *, fault: str = "") -> None:
    """Add attributes to the thread's span; with a kind of fault, it has failed."""
    if _recorder is not None:
        _recorder.annotate(attributes, fault)


def current_traceparent() -> str:
    """Return what continues the thread's trace elsewhere, in the form of W3C Trace Context; empty outside of one."""
    return "" if _recorder is None else _recorder.traceparent()
