"""A client's socket that no thread waits for: it takes what is to be sent, and gives what has come in."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCOUTQ
from typing import Any

from backend.errors import BodyTooLarge
from backend.http.connections.byte_queue import ByteQueue
from backend.http.connections.progress import Progress
from backend.http.connections.request_end import RequestEnd

# The largest body of any route is 64 MiB, with what a form puts around it; chunks may double that.
BODY_BYTES = 160 * 1024 * 1024
PIECE_BYTES = 256 * 1024
# Of a response, in a file. A thread waits where a client has more than this to fetch.
UNSENT_BYTES = 64 * 1024 * 1024
# In such a time some bytes must reach the client. Over a slow link they do so in lumps.
STALLED_SECONDS = 60.0
POLL_MS = 1000
# What a client may still send after its last response. Closed with unread bytes, a connection would lose its end.
DISCARDED_BYTES = 1024 * 1024


class ClientSocket(socket.socket):
    """A connection to a client. Reading gives what the poller has collected, sending never blocks.

    What the client does not take at once is kept, and the poller sends it when the thread has left.
    """

    def __init__(self, sock: socket.socket, data_dir: Path) -> None:
        """Take over an accepted socket."""
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        super().settimeout(0.0)
        self.received, self.unsent = ByteQueue(data_dir), ByteQueue(data_dir)
        self.request = RequestEnd(BODY_BYTES)
        # Whether no other request can be read from it.
        self.is_spent = False
        self._handed_out = self._discarded = 0

    def setblocking(self, flag: bool, /) -> None:
        """Stay as it is: gunicorn's threads would wait in it."""

    def settimeout(self, value: float | None, /) -> None:
        """Stay as it is."""

    def collect(self) -> bool:
        """Read what has come in; whether a thread can go on with it. To be called while no thread has the connection.

        Raises:
            OSError: the connection is lost, or what has come in cannot be stored.
        """
        try:
            piece = super().recv(PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return self.request.is_reached
        if piece:
            self._scan(piece)
            return self.request.is_reached
        self.is_spent = True
        # A request that was cut off is the parser's to refuse; a client that says nothing has hung up.
        return len(self.received) > 0

    def _scan(self, piece: bytes) -> None:
        request, received = self.request, self.received
        if request.has_head:
            received.append(piece)
            request.scan_body(piece)
            return
        start = len(received.memory)
        # Whole in memory: without its end a head has 64 KiB at most.
        received.memory += piece
        request.scan_head(received.memory, start)

    def begin_request(self, read_ahead: bytes) -> bool:
        """Look for the next request in what was read along with the last one; whether it is there."""
        self.request = RequestEnd(BODY_BYTES)
        if self.is_spent:
            return False
        rest = read_ahead + self.received.take_all() if len(self.received) else read_ahead
        if rest:
            self._scan(rest)
        return self.request.is_reached

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Give what has come in, at most `size` bytes; none where nothing has.

        Raises:
            BodyTooLarge: there is more, which was not collected.
        """
        if len(self.received):
            return self.received.take(size)
        was_at_end, self.is_spent = self.is_spent, True
        if self.request.is_beyond_limit and not was_at_end:
            raise BodyTooLarge
        return b""

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send what the client takes now, and keep the rest.

        Raises:
            OSError: the connection is lost, or its client takes nothing for too long.
        """
        view = memoryview(data)
        if not len(self.unsent):
            with suppress(BlockingIOError):
                view = view[self.send(view) :]
        if len(view):
            self._keep(view)
        if len(self.unsent) > UNSENT_BYTES:
            self.wait_until_sent(UNSENT_BYTES)

    def _keep(self, view: memoryview) -> None:
        try:
            self.unsent.append(view)
        except OSError as error:
            raise ConnectionResetError(
                errno.ECONNRESET, "there is no room for what the client has not taken"
            ) from error

    def flush(self) -> None:
        """Send of the rest what the client takes now."""
        with suppress(BlockingIOError):
            sent = self.send(self.unsent.peek(PIECE_BYTES))
            self.unsent.drop(sent)
            self._handed_out += sent

    def bytes_fetched(self) -> int:
        """How many bytes of the rest have reached the client, as far as the system tells."""
        queued = struct.pack("i", 0)
        if sys.platform == "linux":
            with suppress(OSError):
                queued = ioctl(self.fileno(), TIOCOUTQ, queued)
        return self._handed_out - int(struct.unpack("i", queued)[0])

    def wait_until_sent(self, most: int = 0) -> None:
        """Wait until at most so many bytes are left to send.

        Raises:
            ConnectionResetError: the client takes nothing for too long.
        """
        poll = select.poll()
        poll.register(self, select.POLLOUT)
        progress = self.begin_sending()
        while len(self.unsent) > most:
            poll.poll(POLL_MS)
            self.flush()
            if progress.has_stalled(self.bytes_fetched()):
                raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing")

    def begin_sending(self) -> Progress:
        """Watch from now on what the client fetches."""
        return Progress(STALLED_SECONDS, 1, self.bytes_fetched())

    def discard(self) -> bool:
        """Read what comes in after the last response, for nobody; whether that is over."""
        try:
            piece = super().recv(PIECE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self._discarded += len(piece)
        return not piece or self._discarded > DISCARDED_BYTES

    def close(self) -> None:
        """Close it, and give up what is left."""
        self.received.close()
        self.unsent.close()
        super().close()
