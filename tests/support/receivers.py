"""Receivers of telemetry in this process: of traces by OTLP over HTTP, and of Sentry's envelopes."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.processes import eventually

DECODERS: dict[str | None, Any] = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}


class Receiver(ThreadingHTTPServer):
    """Takes what is posted, each with its path and headers in lower case, and answers `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def dsn(self) -> str:
        """The address that a Sentry client is given."""
        return f"http://abcdef0123456789@127.0.0.1:{self.server_address[1]}/7"

    @property
    def raw(self) -> str:
        """All that was posted, as text."""
        return "\n".join(f"{path} {headers} {body.decode(errors='replace')}" for path, headers, body in self.posted)

    @property
    def spans(self) -> list[Span]:
        """All spans so far."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        """What came on the path of traces."""
        return [
            ExportTraceServiceRequest.FromString(body) for path, _, body in list(self.posted) if path == "/v1/traces"
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of all envelopes so far."""
        items = [line for _, _, body in list(self.posted) for line in body.split(b"\n") if line.startswith(b"{")]
        return [event for event in map(json.loads, items) if "event_id" in event and "level" in event]

    def span(self, name: str) -> Span:
        """The one span of this name, waited for."""
        assert eventually(lambda: any(span.name == name for span in self.spans)), [span.name for span in self.spans]
        [found] = [span for span in self.spans if span.name == name]
        return found

    def children_of(self, parent: Span) -> list[Span]:
        return [span for span in self.spans if span.parent_span_id == parent.span_id]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = DECODERS[self.headers.get("Content-Encoding")](body)
        self.server.posted.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive in threads of this process."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def attributes_of(span: Span) -> dict[str, Any]:
    """The attributes of a span by name."""
    return {pair.key: _plain(pair.value) for pair in span.attributes}


def _plain(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))
