"""gunicorn's worker: its refusals read like those of the application (R-HTTP), its responses go out in one packet."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors, wsgi
from gunicorn.http.errors import ParseException
from gunicorn.http.wsgi import Response
from gunicorn.workers.gthread import ThreadWorker

from backend.http.client_addresses import plain_address
from backend.http.event_streams.body import SocketHandover
from backend.http.middleware.request_id import new_request_id
from backend.http.middleware.security_headers import OF_API, OVER_TLS
from backend.http.problems import phrase
from backend.http.rate_limits.windows import SECONDS
from backend.observability.logging import log_access
from backend.observability.metrics.requests import record_response

# Larger pieces go out by themselves: copying them takes longer than another packet.
MOST_TOGETHER = 65_536
# Headers with few values. To check the two dozen of a cached response takes 17 µs; to check the others of them, 9.
SHARED_HEADERS = frozenset(
    {
        *(name for name, _ in (*OF_API, OVER_TLS)),
        *("Cache-Control", "Content-Encoding", "Content-Type", "RateLimit-Policy", "Vary"),
        *(f"Access-Control-{what}" for what in ("Allow-Credentials", "Allow-Origin", "Expose-Headers")),
        *(f"X-RateLimit-Limit-{seconds}s" for seconds in SECONDS),
    }
)
MEMOISED_HEADERS = 512
# The only value of this header that a response may ask for.
CLOSES = ("Connection", "close")
# gunicorn ends a process that has not been heard of for `timeout`, a minute.
NOTIFY_SECONDS = 1.0
# A client that has its answer sends the next request within this time, or not soon.
FOLLOWING_MS = 1
# What the handling of a request comes to when its connection goes on in the event loop.
HANDED_OVER = object()
NOT_HTTP = "This is not a well-formed HTTP request."
# Refusals of gunicorn's parser, the most specific first.
REFUSALS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG, "The first line of the request is too long."),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long, or too many."),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED, "Bodies may come in chunks, and no other way."),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED, "Expect may ask for 100-continue, and nothing else."),
    (errors.ForbiddenProxyRequest, HTTPStatus.FORBIDDEN, "The proxy protocol is not spoken here."),
    (errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR, "Something is wrong with this server."),
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here."),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here."),
    (ParseException, HTTPStatus.BAD_REQUEST, NOT_HTTP),
    (Exception, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. The request id finds it in the logs."),
)


class OnePacketResponse(Response):  # type: ignore[misc]
    """A response that sends its headers along with the first piece of its body, and no banner.

    The client wakes up once.
    """

    sock: Any

    def process_headers(self, headers: Sequence[tuple[str, str]]) -> None:
        """Check headers as gunicorn does; those that many responses share are checked once.

        gunicorn drops `Connection: close`: here it ends the connection, and tells the client so.
        """
        if CLOSES in headers:
            self.force_close()
        super().process_headers([header for header in headers if header[0] not in SHARED_HEADERS])
        self.headers += [_checked(header) for header in headers if header[0] in SHARED_HEADERS]

    def default_headers(self) -> list[str]:
        """Leave the name of the server out."""
        return [line for line in super().default_headers() if not line.startswith("Server:")]

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self.headers_sent or len(data) > MOST_TOGETHER:
            super().write(data)
            return
        connection, buffer = self.sock, _Buffer()
        self.sock = buffer
        try:
            super().write(data)
        finally:
            self.sock = connection
        connection.sendall(b"".join(buffer.pieces))


@lru_cache(maxsize=MEMOISED_HEADERS)
def _checked(header: tuple[str, str]) -> Any:
    """Return a header as gunicorn sends it.

    Raises:
        InvalidResponseHeader: gunicorn does not.
    """
    response = Response(None, None, None)
    response.process_headers([header])
    return response.headers[0]


class _Buffer:
    """Stands for a socket, and collects what is sent."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, piece: bytes) -> None:
        self.pieces.append(piece)


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker of threads, with problems in the place of its error pages.

    A thread keeps a connection whose next request comes at once while nobody waits for a thread: on the way back to the
    poller and from there to another thread a request spends half of a cached response's time.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # One item for each connection that waits for a thread; a deque needs no lock.
        self._waiting: deque[None] = deque()
        self._notified_at = 0.0

    def init_process(self) -> None:
        """Start serving, with our class of responses: gunicorn's threads have no setting for it."""
        wsgi.Response = OnePacketResponse
        super().init_process()

    def notify(self) -> None:
        """Tell the arbiter that the process is alive, but not with each event: it costs a system call on a file."""
        now = time.monotonic()
        if now - self._notified_at >= NOTIFY_SECONDS:
            self._notified_at = now
            super().notify()

    def enqueue_req(self, conn: Any) -> None:
        """Have a thread serve a connection."""
        self._waiting.append(None)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve a connection: one request, and those that follow at once while no other connection waits."""
        self._waiting.pop()
        result = super().handle(conn)
        while result is True and self._follows_at_once(conn):
            result = super().handle(conn)
        return result

    def _follows_at_once(self, conn: Any) -> bool:
        if self._waiting or not self.alive:
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(FOLLOWING_MS)) and not self._waiting

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that does not reach the application, and close the connection."""
        started, request_id = time.perf_counter(), new_request_id()
        status, detail = next((status, detail) for kind, status, detail in REFUSALS if isinstance(exc, kind))
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            # Without the request: it may hold a token.
            self.log.exception("Error handling a request, %s", request_id)
        path, method = getattr(req, "path", None) or "", getattr(req, "method", None) or "-"
        record_response(method, None, int(status), time.perf_counter() - started)
        log_access(
            method=method,
            path=path or "-",
            status=int(status),
            started=started,
            request_id=request_id,
            fault=type(exc).__name__,
            ip=plain_address(addr[0]) if addr else "",
        )
        with suppress(OSError):  # The client has closed the connection.
            client.sendall(_refusal(status, detail, path, request_id))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; a stream of events leaves this thread with its socket after the first piece."""
        try:
            return super().handle_request(req, conn)
        except SocketHandover as handover:
            sock = socket.socket(fileno=conn.sock.detach())
            handover.body.hand_over(sock, is_chunked=req.version > (1, 0))
            return HANDED_OVER

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Wait for the next request on a connection, or close it; one that was handed over is no longer ours."""
        if not fs.cancelled() and fs.exception() is None and fs.result() is HANDED_OVER:
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        """Whether the connection goes on. Not where the rest of a body turns out to be malformed: its request has been
        answered, and another answer would be taken for that to the next one."""
        if keepalive is HANDED_OVER:
            return HANDED_OVER
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except ParseException:
            return False


def _refusal(status: HTTPStatus, detail: str, path: str, request_id: str) -> bytes:
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": phrase(status),
            "status": int(status),
            "detail": detail,
            "instance": path.encode("latin-1", "replace").decode("utf-8", "replace"),
            "request_id": request_id,
        }
    )
    headers = [
        *OF_API,
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("X-Request-ID", request_id),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    lines = [f"HTTP/1.1 {int(status)} {phrase(status)}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
