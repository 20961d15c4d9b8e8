"""gunicorn's worker of threads, with a poller that waits for clients in the place of its threads."""

from __future__ import annotations

import errno
import selectors
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from backend.http.connections.client_connection import LINGER_SECONDS, ClientConnection, Phase
from backend.http.connections.client_limits import AddressCounts, ClientLimits
from backend.http.connections.client_socket import ClientSocket

# What the handling of a request comes to when its connection goes on in the event loop.
HANDED_OVER = object()
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SWEEP_SECONDS = 0.5
NO_CONNECTION = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class RequestTimeout(Exception):
    """A client sends its request too slowly."""


class TooManyConnections(Exception):
    """An address has as many connections as it may have."""


class NoSpace(Exception):
    """There is no room for a body."""


class PollingWorker(ThreadWorker):  # type: ignore[misc]
    """Collects requests, headers and bodies, and sends what clients have not taken; threads do what lies between."""

    # Set by gunicorn's settings before the process serves.
    limits = ClientLimits()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Begin without connections."""
        super().__init__(*arguments, **named)
        # In the order in which they came to the poller.
        self._polled: dict[ClientConnection, None] = {}
        self._swept_at = 0.0
        self._stopped_at: float | None = None

    def init_process(self) -> None:
        """Start serving."""
        self._addresses = AddressCounts(self.limits)
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Accept a connection, and serve it at once if its request is there."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in NO_ROOM:
                self._make_room()
            elif error.errno not in NO_CONNECTION:
                raise
            return
        sock = ClientSocket(sock, self.limits.data_dir)
        conn = ClientConnection(self.cfg, sock, client, listener.getsockname(), self.limits)
        self.nr_conns += 1
        conn.is_counted = self._addresses.admit(conn.address)
        if not conn.is_counted:
            self._refuse(conn, TooManyConnections())
            return
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._collect(conn)

    def finish_request(self, conn: ClientConnection, fs: Future[Any]) -> None:
        """Go on with a connection that a thread has left."""
        outcome = None if fs.cancelled() or fs.exception() is not None else fs.result()
        if outcome is HANDED_OVER or conn.sock.fileno() < 0:
            self._forget(conn)
        else:
            self._go_on(conn, stays_open=outcome is True)

    def murder_pending(self) -> None:
        """Close connections whose clients are too slow; gunicorn calls it in each round."""
        now = monotonic()
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        if not self.alive and self._stopped_at is None:
            self._stopped_at = now
        for conn in [each for each in self._polled if each.is_overdue(now, self._stopped_at)]:
            self._end_overdue(conn)

    def _end_overdue(self, conn: ClientConnection) -> None:
        # Who has not begun a request waits for no answer.
        if conn.phase is Phase.BODY or (conn.phase is Phase.HEAD and conn.sock.received):
            self._refuse(conn, RequestTimeout())
        else:
            self._drop(conn)

    def _refuse(self, conn: ClientConnection, fault: Exception) -> None:
        self.handle_error(None, conn.sock, conn.client, fault)
        self._go_on(conn, stays_open=False)

    def _collect(self, conn: ClientConnection) -> None:
        """Read what has come in, and have a thread serve a request that is there."""
        try:
            is_ready = conn.sock.collect()
        except OSError as error:
            if error.errno in NO_SPACE:
                self._refuse(conn, NoSpace())
            else:
                self._drop(conn)
            return
        if is_ready:
            self._serve(conn)
        elif conn.sock.is_spent:
            self._drop(conn)
        else:
            self._await_request(conn)

    def _serve(self, conn: ClientConnection) -> None:
        self._stop_polling(conn)
        self.enqueue_req(conn)

    def _await_request(self, conn: ClientConnection) -> None:
        is_new = conn.await_request(self.cfg.keepalive)
        if is_new and conn.phase is Phase.BODY and conn.sock.request.expects_continue:
            # Few bytes on an idle connection: what cannot be sent now is never sent.
            with suppress(OSError):
                conn.sock.send(CONTINUE)
                conn.has_continued = True
        self._poll(conn, selectors.EVENT_READ)

    def _go_on(self, conn: ClientConnection, *, stays_open: bool) -> None:
        """Send what is left to send; then wait for the next request, or close the connection."""
        if conn.sock.unsent:
            conn.stays_open = stays_open
            conn.enter(Phase.SENDING, 0)
            self._poll(conn, selectors.EVENT_WRITE)
        elif stays_open and conn.begin_request():
            self._serve(conn)
        elif stays_open and not conn.sock.is_spent:
            self._await_request(conn)
        else:
            self._linger(conn)

    def _on_event(self, conn: ClientConnection, _: socket.socket) -> None:
        if conn not in self._polled:
            # Closed to make room, in the same round.
            return
        if conn.phase is Phase.SENDING:
            self._flush(conn)
        elif conn.phase is Phase.LINGERING:
            self._discard(conn)
        else:
            self._collect(conn)

    def _flush(self, conn: ClientConnection) -> None:
        try:
            conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if not conn.sock.unsent:
            self._go_on(conn, stays_open=conn.stays_open)

    def _linger(self, conn: ClientConnection) -> None:
        """Close the own side; the connection is closed once the client has closed its own (RFC 9112, 9.6)."""
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.enter(Phase.LINGERING, LINGER_SECONDS)
        self._discard(conn)

    def _discard(self, conn: ClientConnection) -> None:
        if conn.sock.discard():
            self._drop(conn)
        else:
            self._poll(conn, selectors.EVENT_READ)

    def _poll(self, conn: ClientConnection, events: int) -> None:
        callback = partial(self._on_event, conn)
        if conn not in self._polled:
            self._polled[conn] = None
            self.poller.register(conn.sock, events, callback)
        elif self.poller.get_key(conn.sock).events != events:
            self.poller.modify(conn.sock, events, callback)

    def _stop_polling(self, conn: ClientConnection) -> None:
        if conn in self._polled:
            del self._polled[conn]
            self.poller.unregister(conn.sock)
            conn.phase = None

    def _drop(self, conn: ClientConnection) -> None:
        self._stop_polling(conn)
        self._forget(conn)
        conn.sock.close()

    def _forget(self, conn: ClientConnection) -> None:
        self.nr_conns -= 1
        if conn.is_counted:
            self._addresses.leave(conn.address)

    def _make_room(self) -> None:
        """Close the connection that has waited longest of those that owe no response."""
        oldest = next(self._expendable(), None)
        if oldest is not None:
            self._drop(oldest)

    def _expendable(self) -> Iterator[ClientConnection]:
        return (conn for conn in self._polled if conn.is_expendable)
