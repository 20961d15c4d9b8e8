"""The body of a response that goes on as a stream of events."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from errno import ENOTCONN
from typing import Protocol

from backend.redis.leased_slots import LeasedSlot


class SocketHandover(OSError):
    """Raised by a body after its first piece: from here on the loop of the process sends it.

    As an error of the connection it passes through gunicorn's request handling without a word to the client.
    """

    def __init__(self, body: EventBody) -> None:
        super().__init__(ENOTCONN, "the connection belongs to the event loop")
        self.body = body


@dataclass
class Subscription:
    """What a stream is about: `watch` is what the poll knows, `ends_at` when the stream ends, in seconds since 1970."""

    watch: object
    slot: LeasedSlot
    ends_at: float


class StreamHolder(Protocol):
    """What sends streams on once the server has let go of their sockets."""

    def adopt(self, subscription: Subscription, sock: socket.socket, *, is_chunked: bool) -> None:
        """Take over a socket; the subscription's slot is released when the stream ends."""

    def release(self, subscription: Subscription) -> None:
        """Release the slot of a stream that has not begun."""


class EventBody:
    """The first piece of a stream, and then the handover of its socket: what gunicorn's worker iterates."""

    def __init__(self, first: bytes, subscription: Subscription, holder: StreamHolder) -> None:
        self._first = first
        self._subscription = subscription
        self._holder = holder
        self._is_handed_over = False

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self._is_handed_over = True
        raise SocketHandover(self)

    def close(self) -> None:
        """Release the slot, unless the stream goes on."""
        if not self._is_handed_over:
            self._holder.release(self._subscription)

    def hand_over(self, sock: socket.socket, *, is_chunked: bool) -> None:
        """Have the loop send the rest of the stream on this socket."""
        self._holder.adopt(self._subscription, sock, is_chunked=is_chunked)
