"""The thread that sends all streams of a process: it polls for them together, and waits for none of them."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flask import Flask
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from backend.http.event_streams.body import Subscription
from backend.http.event_streams.connection import StreamConnection
from backend.redis.leased_slots import extend_leases

POLL_SECONDS = 1.0
# Of one process. Each costs a file descriptor and a few kilobytes.
MOST_STREAMS = 400
LEASE_SECONDS, EXTEND_SECONDS = 180.0, 60.0
# While PostgreSQL is away rights cannot be read: after so long all streams end, and clients come back.
BLIND_SECONDS = 30.0
STOP_SECONDS = 2.0


@dataclass(frozen=True)
class Update:
    """What is new about a watch: a piece to send, and whether it is the last."""

    piece: bytes = b""
    is_last: bool = False


# Called in the context of the application, with the watches of all streams; an update for each, in their order.
Poll = Callable[[Sequence[object]], Sequence[Update]]


class StreamLoop:
    """The streams of one process. Its thread runs while there are any; implements `body.StreamHolder`."""

    def __init__(self, app: Flask, poll: Poll) -> None:
        """Start nothing yet.

        Args:
            app: In whose context to poll.
            poll: What is new about watches.
        """
        self._app = app
        self._poll = poll
        self._lock = threading.Lock()
        self._arrived: deque[StreamConnection] = deque()
        self._open: set[StreamConnection] = set()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._seen_at = self._extended_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether the process has as many streams as it may."""
        return self._is_stopping or len(self._open) + len(self._arrived) >= MOST_STREAMS

    def adopt(self, subscription: Subscription, sock: socket.socket, *, is_chunked: bool) -> None:
        """Send a stream on this socket from now on."""
        connection = StreamConnection(subscription, sock, is_chunked=is_chunked)
        with self._lock:
            self._arrived.append(connection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-streams", daemon=True)
                self._thread.start()

    def release(self, subscription: Subscription) -> None:
        """Release the slot of a stream that has not begun."""
        with self._app.app_context():
            subscription.slot.release()

    def stop(self) -> None:
        """End all streams."""
        self._is_stopping = True
        thread = self._thread
        if thread is not None:
            thread.join(POLL_SECONDS + STOP_SECONDS)

    def _run(self) -> None:
        self._seen_at = self._extended_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            try:
                while self._take_arrivals(selector):
                    self._wait(selector, POLL_SECONDS)
                    self._round()
                    self._drop(selector, [each for each in self._open if each.is_over])
            finally:
                # Also after a fault: a socket that nobody looks after would stay open for ever.
                self._drop(selector, list(self._open))
                self._forget_thread()

    def _forget_thread(self) -> None:
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None

    def _take_arrivals(self, selector: selectors.BaseSelector) -> bool:
        """Take over what has arrived; False where nothing is left to do, and the thread ends."""
        with self._lock:
            while self._arrived:
                connection = self._arrived.popleft()
                self._open.add(connection)
                selector.register(connection.sock, selectors.EVENT_READ, connection)
            if self._open and not self._is_stopping:
                return True
            self._thread = None
            return False

    def _wait(self, selector: selectors.BaseSelector, seconds: float) -> None:
        """Serve the sockets for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._is_stopping:
            self._watch_writers(selector)
            for key, mask in selector.select(left):
                connection: StreamConnection = key.data
                if mask & selectors.EVENT_WRITE:
                    connection.flush()
                if mask & selectors.EVENT_READ:
                    connection.receive()
            self._drop(selector, [each for each in self._open if each.is_over])

    def _watch_writers(self, selector: selectors.BaseSelector) -> None:
        for connection in self._open:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.has_unsent else 0)
            if selector.get_key(connection.sock).events != events:
                selector.modify(connection.sock, events, connection)

    def _round(self) -> None:
        """Send what is new, and heart-beats."""
        now = time.time()
        for connection in self._open:
            if connection.subscription.ends_at <= now:
                connection.end()
        self._send_updates([each for each in self._open if not each.is_over])
        for connection in self._open:
            connection.beat()
        if time.monotonic() - self._extended_at > EXTEND_SECONDS:
            self._extended_at = time.monotonic()
            with self._app.app_context():
                extend_leases([each.subscription.slot for each in self._open])

    def _send_updates(self, connections: Sequence[StreamConnection]) -> None:
        if not connections:
            return
        try:
            with self._app.app_context():
                updates = self._poll([each.subscription.watch for each in connections])
            self._seen_at = time.monotonic()
        except SQLAlchemyError as error:
            logger.warning("streams of events cannot be polled: {}", type(error).__name__)
            updates = [Update(is_last=time.monotonic() - self._seen_at > BLIND_SECONDS)] * len(connections)
        for connection, update in zip(connections, updates, strict=True):
            connection.send(update.piece)
            if update.is_last:
                connection.end()

    def _drop(self, selector: selectors.BaseSelector, connections: Iterable[StreamConnection]) -> None:
        """Close connections, and release their slots."""
        for connection in connections:
            self._open.discard(connection)
            selector.unregister(connection.sock)
            if self._is_stopping:
                connection.end()
            connection.close()
            self.release(connection.subscription)
