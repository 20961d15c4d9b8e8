"""Standard output and error, for lines: whole ones only, and a reader that stands still holds nobody up for long."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable

# The longest wait for a reader. After it lines are dropped at once until there is room again.
PATIENCE_SECONDS = 1.0
STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


class LineStream:
    """Writer on a descriptor that other processes write to as well.

    Pipes, terminals and sockets are written without blocking: a line that finds no room within a second is dropped and
    counted, and so is each that follows until there is room; then a notice tells how many were. A full disk counts as
    no room.
    """

    def __init__(self, notice: Callable[[str], str], descriptor: int = STANDARD_ERROR) -> None:
        """Open the descriptor's file once more where that is needed.

        Args:
            notice: Formats a notice of this class as a line.
            descriptor: What to write to.
        """
        self._notice = notice
        # No fork comes while it is held: loguru forks with the locks of its sinks, which all writers hold.
        self._lock = threading.Lock()
        self._dropped = 0
        self._is_broken_off = False
        self._descriptor, self._socket = descriptor, _as_socket(descriptor)
        self._own = _open_without_blocking(descriptor)
        self._most_at_once = sys.maxsize if _is_file(descriptor) else select.PIPE_BUF

    def write(self, lines: str) -> None:
        """Write whole lines, each with its end; never raises, and waits at most a second."""
        with self._lock:
            if self._dropped and self._put(self._notice(_lost(self._dropped))):
                self._dropped = 0
            if self._dropped or not self._put(lines):
                self._dropped += lines.count("\n")

    def close(self) -> None:
        """Close what was opened here."""
        own, self._own = self._own, None
        if own is not None:
            os.close(own)
        if self._socket is not None:
            self._socket.close()

    def _put(self, lines: str) -> bool:
        data = lines.encode(errors="backslashreplace")
        if self._is_broken_off:
            data = b"\n" + data
        written = self._send(data, 0.0 if self._dropped else PATIENCE_SECONDS)
        self._is_broken_off = 0 < written < len(data) or (self._is_broken_off and not written)
        return written == len(data)

    def _send(self, data: bytes, patience: float) -> int:
        """Send as much as there comes to be room for within so many seconds; return how much."""
        deadline, sent = time.monotonic() + patience, 0
        while sent < len(data):
            try:
                sent += self._send_some(data[sent:])
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not self._wait_for_room(left):
                    break
            except OSError:  # A full disk, a closed pipe: there is no other place to tell it.
                break
        return sent

    def _send_some(self, data: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        if self._own is not None:
            return os.write(self._own, data)
        # A file, or a pipe that cannot be opened again: one that is full is not written to.
        if not self._wait_for_room(0):
            raise BlockingIOError
        return os.write(self._descriptor, data[: self._most_at_once])

    def _wait_for_room(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))


def _lost(number: int) -> str:
    return f"{number} lines were not written: nobody read them, or there was no space"


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _as_socket(descriptor: int) -> socket.socket | None:
    """Return a socket of systemd's journal and the like; None for anything else."""
    try:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return None
    return None


def _open_without_blocking(descriptor: int) -> int | None:
    """Open a pipe or terminal once more, so that only writes of this class do not block; None where that is no use.

    The flag belongs to the open file, which is shared with other processes. A file's offset is shared too, so that one
    is left as it is.
    """
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or os.isatty(descriptor):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # No such folder, or no right to: then a full pipe is told by asking first.
        return None
    return None
