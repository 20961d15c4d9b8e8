"""One client's connection, as the poller sees it."""

from __future__ import annotations

import enum
import select
from time import monotonic
from typing import Any

from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from backend.http.connections.client_limits import ClientLimits
from backend.http.connections.client_socket import ClientSocket
from backend.http.connections.progress import Progress
from backend.http.connections.request_parser import RememberingParser

# As long as a closed connection waits for its client to close it too.
LINGER_SECONDS = 2.0


class Phase(enum.Enum):
    """What the poller waits for on a connection."""

    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    SENDING = enum.auto()
    LINGERING = enum.auto()


class ClientConnection(TConn):  # type: ignore[misc]
    """A connection whose socket never blocks. Between two threads it belongs to the poller."""

    def __init__(self, cfg: Config, sock: ClientSocket, client: Any, server: Any, limits: ClientLimits) -> None:
        """Begin with the first request."""
        super().__init__(cfg, sock, client, server)
        # gunicorn need not wait: a thread gets a request that is there.
        self.data_ready, self.initialized = True, False
        self.address = str(client[0]) if isinstance(client, tuple) else ""
        self.is_counted = self.is_registered = False
        # Whether the client has been told to send the body of this request.
        self.has_continued = False
        # Whether the connection stays open after what it is sending.
        self.stays_open = False
        self.phase: Phase | None = None
        self.deadline = 0.0
        self._limits = limits
        self._progress: Progress | None = None
        # Whether a request has begun that no thread has got.
        self._has_begun = True
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    def init(self) -> None:
        """Make the parser."""
        if not self.initialized:
            self.initialized = True
            self.parser = RememberingParser(self.cfg, self.sock, self.client)

    def begin_handling(self) -> None:
        """Note that a thread has got the request."""
        self._has_begun = False

    def begin_request(self) -> bool:
        """Look for the next request in what has been read already; whether all of it is there."""
        if not self._has_begun:
            self._has_begun, self.has_continued = True, False
            unreader = self.parser.unreader
            self.sock.begin_request(unreader.take_buffered() if unreader.buf.getvalue() else b"")
        return bool(self.sock.request.is_reached)

    def follows_within(self, milliseconds: int) -> bool:
        """Wait so long for the next request; whether all of it is there."""
        if self.sock.unsent or self.sock.is_spent:
            return False
        return self.begin_request() or (bool(self._readable.poll(milliseconds)) and bool(self.sock.collect()))

    def await_request(self, keepalive: float) -> bool:
        """Enter the phase of what is missing; whether that is a new one."""
        request = self.sock.request
        if request.has_head:
            phase, seconds = Phase.BODY, self._limits.header_seconds
        elif self.sock.received or self.parser is None:
            phase, seconds = Phase.HEAD, self._limits.header_seconds
        else:
            phase, seconds = Phase.IDLE, keepalive
        return self.enter(phase, seconds)

    def enter(self, phase: Phase, seconds: float) -> bool:
        """Enter a phase that may take so long; whether it is a new one."""
        if phase is self.phase:
            return False
        self.phase, self.deadline, self._progress = phase, monotonic() + seconds, None
        if phase is Phase.BODY:
            self._progress = Progress(seconds, seconds * self._limits.body_bytes_per_second)
        elif phase is Phase.SENDING:
            self._progress = self.sock.begin_sending()
        return True

    def is_overdue(self, now: float, stopped_at: float | None) -> bool:
        """Whether its client has been too slow; a process that stops waits less for what has not arrived."""
        if self.phase is Phase.BODY and self._progress is not None:
            is_cut = stopped_at is not None and now > stopped_at + self._limits.header_seconds
            return is_cut or self._progress.has_stalled(self.sock.request.body_bytes)
        if self.phase is Phase.SENDING and self._progress is not None:
            return self._progress.has_stalled(self.sock.bytes_fetched())
        deadline = self.deadline if stopped_at is None else min(self.deadline, stopped_at + LINGER_SECONDS)
        return now > deadline

    @property
    def is_reusable(self) -> bool:
        """Whether all of the request is here, so that another may follow it."""
        return not (self.sock.is_spent or self.sock.request.is_beyond_limit)

    @property
    def is_expendable(self) -> bool:
        """Whether it may be closed when there is no room for others."""
        return self.phase in (Phase.IDLE, Phase.HEAD, Phase.LINGERING)
