"""A connection that a stream of events goes out on, without ever waiting for its client."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from backend.http.event_streams.body import Subscription
from backend.http.event_streams.framing import HEARTBEAT, LAST_CHUNK, chunk

HEARTBEAT_SECONDS = 15.0
# What a client has not taken after so long, or so much of it, costs it the connection.
STALLED_SECONDS = 30.0
MOST_UNSENT_BYTES = 1024 * 1024
DISCARDED_BYTES = 4096
# Linux only: an absent client is noticed when so much time has passed without an acknowledgement.
USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)


class StreamConnection:
    """One stream's socket, what waits to be sent on it, and when something was sent last."""

    def __init__(self, subscription: Subscription, sock: socket.socket, *, is_chunked: bool) -> None:
        sock.setblocking(False)
        if USER_TIMEOUT is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, int(STALLED_SECONDS * 1000))
        self.subscription = subscription
        self.sock = sock
        self.is_lost = False
        self._is_chunked = is_chunked
        self._is_ending = False
        self._unsent = bytearray()
        self._sent_at = time.monotonic()

    @property
    def has_unsent(self) -> bool:
        """Whether something waits until the client takes it."""
        return bool(self._unsent)

    @property
    def is_over(self) -> bool:
        """Whether the connection can be closed: it is lost, or all has been sent."""
        return self.is_lost or (self._is_ending and not self._unsent)

    def send(self, piece: bytes) -> None:
        """Send a piece of the body, as much of it as the client takes now."""
        if piece and not self._is_ending:
            self._unsent += chunk(piece) if self._is_chunked else piece
            self.flush()

    def beat(self) -> None:
        """Send a heart-beat where nothing was sent for a while; drop a client that takes nothing."""
        silent = time.monotonic() - self._sent_at
        if self._unsent and silent > STALLED_SECONDS:
            self.is_lost = True
        elif not self._unsent and silent > HEARTBEAT_SECONDS:
            self.send(HEARTBEAT)

    def end(self) -> None:
        """Send the end of the body."""
        if not self._is_ending:
            self._is_ending = True
            self._unsent += LAST_CHUNK if self._is_chunked else b""
            self.flush()

    def flush(self) -> None:
        """Send what waits, as much of it as the client takes now."""
        try:
            # A client that takes nothing at the moment is sent the rest later.
            with suppress(BlockingIOError):
                if self._unsent:
                    del self._unsent[: self.sock.send(self._unsent)]
                    self._sent_at = time.monotonic()
        except OSError:
            self.is_lost = True
        self.is_lost = self.is_lost or len(self._unsent) > MOST_UNSENT_BYTES

    def receive(self) -> None:
        """Notice that the client has hung up; what else it sends is discarded."""
        try:
            with suppress(BlockingIOError):
                self.is_lost = self.is_lost or not self.sock.recv(DISCARDED_BYTES)
        except OSError:
            self.is_lost = True

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()
