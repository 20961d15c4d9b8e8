"""Spans of requests: around everything that answers one, cached responses of the fast path included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanKind, Tracer, get_current_span

from backend.observability.logging import PROBES
from backend.observability.metrics.exemplars import record_exemplar
from backend.observability.metrics.requests import METHODS, UNMATCHED
from backend.observability.tracing.recorder import TRACEPARENT, TRACESTATE, current, fail, remote_parent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

OTHER_METHOD = "_OTHER"
REQUEST_ID = "X-Request-ID"
SERVER_FAULT = 500


class TracedRequests:
    """WSGI middleware that records a span for each request but probes. The span ends where the response begins."""

    def __init__(self, app: WSGIApplication, tracer: Tracer) -> None:
        """Wrap an application."""
        self._app, self._tracer = app, tracer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(PROBES):
            return self._app(environ, start_response)
        method = shown_method(environ["REQUEST_METHOD"])
        parent = remote_parent(
            {TRACEPARENT: environ.get("HTTP_TRACEPARENT", ""), TRACESTATE: environ.get("HTTP_TRACESTATE", "")}
        )
        attributes = {"http.request.method": method, "url.scheme": environ["wsgi.url_scheme"]}
        span = self._tracer.start_span(method, parent, kind=SpanKind.SERVER, attributes=attributes)
        with current(span):
            return self._app(environ, _noting(span, start_response) if span.is_recording() else start_response)


def describe_response(method: str, route: str | None, status: int, seconds: float) -> None:
    """Name the thread's span after its route, and remember the trace as an exemplar of the response's duration."""
    span = get_current_span()
    if not span.is_recording():
        return
    if route:
        span.update_name(f"{shown_method(method)} {route}")
        span.set_attribute("http.route", route)
    labels = (method if method in METHODS else "OTHER", route or UNMATCHED, str(status))
    record_exemplar(labels, seconds, span.get_span_context().trace_id)


def shown_method(method: str) -> str:
    """Return the method as a span tells it: clients make methods up."""
    return method if method in METHODS else OTHER_METHOD


def _noting(span: Span, start_response: StartResponse) -> StartResponse:
    """Take the status and the request's id from the response."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        code = int(status[:3])
        span.set_attribute("http.response.status_code", code)
        span.set_attribute("fuze.request_id", next((value for name, value in headers if name == REQUEST_ID), ""))
        if code >= SERVER_FAULT:
            fail(span, str(code))
        return start_response(status, headers, *more)

    return start
