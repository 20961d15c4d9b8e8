"""gunicorn's worker: its refusals read like those of the application (R-HTTP), its responses go out in one packet."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.http.wsgi import Response

from backend.http.client_addresses import plain_address
from backend.http.connections.client_connection import ClientConnection
from backend.http.connections.polling_worker import HANDED_OVER, PollingWorker
from backend.http.event_streams.body import SocketHandover
from backend.http.middleware.request_id import new_request_id
from backend.http.middleware.security_headers import OF_API, OVER_TLS
from backend.http.rate_limits.windows import SECONDS
from backend.http.server_refusals import find_refusal, refusal_response
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


class Worker(PollingWorker):
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

    def enqueue_req(self, conn: ClientConnection) -> None:
        """Have a thread serve a connection."""
        self._waiting.append(None)
        super().enqueue_req(conn)

    def handle(self, conn: ClientConnection) -> Any:
        """Serve a connection: one request, and those that follow at once while no other connection waits."""
        self._waiting.pop()
        result = self._handle_one(conn)
        while result is True and self._follows_at_once(conn):
            result = self._handle_one(conn)
        return result

    def _handle_one(self, conn: ClientConnection) -> Any:
        conn.begin_handling()
        return super().handle(conn)

    def _follows_at_once(self, conn: ClientConnection) -> bool:
        if self._waiting or not self.alive:
            return False
        # A lost connection ends in the poller.
        with suppress(OSError):
            return conn.follows_within(FOLLOWING_MS) and not self._waiting
        return False

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that does not reach the application, and close the connection."""
        started, request_id = time.perf_counter(), new_request_id()
        status, detail = find_refusal(exc)
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
            client.sendall(refusal_response(status, detail, path, request_id))

    def handle_request(self, req: Any, conn: ClientConnection) -> Any:
        """Answer a request; a stream of events leaves this thread with its socket after the first piece."""
        if not conn.is_reusable:
            req.force_close()
        if conn.has_continued:
            req._expected_100_continue = False
        try:
            return super().handle_request(req, conn)
        except SocketHandover as handover:
            conn.sock.wait_until_sent()
            sock = socket.socket(fileno=conn.sock.detach())
            handover.body.hand_over(sock, is_chunked=req.version > (1, 0))
            return HANDED_OVER

    def _keepalive_after(self, conn: ClientConnection, keepalive: Any) -> Any:
        """Whether the connection goes on. Not where the rest of a body is missing or turns out to be malformed: its
        request has been answered, and another answer would be taken for that to the next one."""
        if keepalive is HANDED_OVER:
            return HANDED_OVER
        try:
            return conn.is_reusable and bool(super()._keepalive_after(conn, keepalive))
        except ParseException:
            return False
