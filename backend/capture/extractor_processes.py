"""Extraction processes: a page that kills or hangs its process affects no other.

`serve_extraction` is a process without threads that forks a child for each *line* (a socket) that it receives. A child
reads pages from its line one by one, each within limits of time and memory, and ends with the line. An `Extractor` is
the other end: it belongs to one thread, and replaces a dead child.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from loguru import logger
from rq.utils import import_attribute

from backend.capture.extract.reading import ExtractionResult, from_json, to_json
from backend.capture.fetch import FetchedPage
from backend.observability.log_context import carried_request_id, log_context
from backend.outbound.failures import FetchError

# A page of 10 MiB takes less.
MEMORY_BYTES = 256 * 1024 * 1024
# A child's end returns the memory of large pages to the system.
PAGES_PER_PROCESS = 100
# After this time without work the process ends, which frees the loaded libraries.
IDLE_SECONDS = 60.0
# A child ends itself at its time limit; one that cannot is killed after this time.
GRACE_SECONDS = 5.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
LENGTH = struct.Struct("!II")
PID = struct.Struct("!I")

# Dotted names, so that their libraries are loaded with the first page.
READ, WARM_UP = "backend.capture.extract.indexed_page.read_page", "backend.capture.extract.indexed_page.warm_up"

ReadFunction = Callable[[FetchedPage, float | None], ExtractionResult]


@dataclass(frozen=True)
class ExtractionBounds:
    """The time limit of one page, and its memory limit beyond the process's memory at the start."""

    seconds: float
    memory_bytes: int = MEMORY_BYTES


class ExtractionDied(Exception):
    """The extraction process ended before the time limit."""


class ExtractionHung(Exception):
    """The page took longer than the time limit."""


def serve_extraction(lines: socket.socket, read: ReadFunction | None = None) -> None:
    """Fork a child for each line received, until the other side is closed; return after a minute without any.

    Libraries are loaded for the first line, before its child is forked, so that all children share them. `read`
    defaults to `READ`.
    """
    children: set[int] = set()
    used_at, is_warm = time.monotonic(), False
    while True:
        children -= _ended(children)
        if is_warm and not children and time.monotonic() - used_at > IDLE_SECONDS:
            return
        if not select.select([lines], [], [], 1.0 if is_warm else None)[0]:
            continue
        _, descriptors, _, _ = socket.recv_fds(lines, 1, 1)
        if not descriptors:
            return
        if not is_warm:
            read = read or import_attribute(READ)
            import_attribute(WARM_UP)()
            gc.freeze()
            is_warm = True
        used_at = time.monotonic()
        with socket.socket(fileno=descriptors[0]) as line:
            if pid := os.fork():
                children.add(pid)
                continue
            lines.close()
            os._exit(_read_all(line, cast("ReadFunction", read)))


def _ended(children: set[int]) -> set[int]:
    return {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}


def _read_all(line: socket.socket, read: ReadFunction) -> int:
    """Read pages from a line until it is closed; return the exit code."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # The default action also interrupts C code.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    used = _address_space()
    try:
        line.sendall(PID.pack(os.getpid()))
        while (message := _receive(line)) is not None:
            head, body = message
            request = json.loads(head)
            if used:
                resource.setrlimit(resource.RLIMIT_AS, (used + request["memory_bytes"], resource.RLIM_INFINITY))
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            with log_context(request_id=request["request_id"]):
                answer = _read_one(FetchedPage(**request["page"], body=bytes(body)), request["average"], read)
            signal.setitimer(signal.ITIMER_REAL, 0)
            _send(line, answer, b"")
    except OSError:
        return 1  # The parent is gone.
    return 0


def _read_one(fetched: FetchedPage, average: float | None, read: ReadFunction) -> bytes:
    try:
        return to_json(read(fetched, average))
    except MemoryError:
        return to_json(FetchError("Reading this page takes too much memory.", retryable=True))
    except Exception as error:
        logger.opt(exception=error).error("a page could not be read")
        return to_json(FetchError("The page could not be read.", retryable=True))


def _address_space() -> int:
    """Return the size of the process's address space in bytes; 0 where the system does not report it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0


class Extractor:
    """Client of one child of `serve_extraction`, which reads one page after another. Belongs to one thread."""

    def __init__(self, lines: socket.socket, bounds: ExtractionBounds) -> None:
        """`lines` is the socket whose other end `serve_extraction` was given."""
        self._lines = lines
        self._bounds = bounds
        self._line: socket.socket | None = None
        self._pages, self._pid = 0, 0

    def read(self, fetched: FetchedPage, average: float | None) -> ExtractionResult:
        """Extract a fetched page.

        Raises:
            ExtractionDied: the process ended.
            ExtractionHung: the time limit has passed; the process has ended.
        """
        if self._pages >= PAGES_PER_PROCESS:
            self.close()
        line = self._line or self._open()
        self._pages += 1
        began = time.monotonic()
        line.settimeout(self._bounds.seconds + GRACE_SECONDS)
        try:
            _send(line, json.dumps(self._request(fetched, average)).encode(), fetched.body)
            answer = _receive(line)
            if answer is not None:
                if fetched.is_large:
                    self.close()  # Memory of a large page goes back to the system.
                return from_json(answer[0])
        except TimeoutError:
            self._kill()
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("extraction: {}", type(error).__name__)
        self.close()
        if time.monotonic() - began >= self._bounds.seconds:
            raise ExtractionHung
        raise ExtractionDied

    def close(self) -> None:
        """End the child; the next page starts another."""
        if self._line is not None:
            self._line.close()
        self._line, self._pages = None, 0

    def _open(self) -> socket.socket:
        line, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._lines, [b"+"], [theirs.fileno()])
            # The first child starts after the libraries are loaded.
            line.settimeout(self._bounds.seconds + GRACE_SECONDS)
            pid = _exactly(line, PID.size)
        except OSError:
            line.close()
            raise
        if pid is None:
            line.close()
            raise ExtractionDied
        (self._pid,) = PID.unpack(pid)
        self._line = line
        return line

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def _request(self, fetched: FetchedPage, average: float | None) -> Mapping[str, Any]:
        page = {name: value for name, value in vars(fetched).items() if name != "body"}
        return {"page": page, "average": average, "request_id": carried_request_id(), **vars(self._bounds)}


def _send(line: socket.socket, head: bytes, body: bytes) -> None:
    line.sendall(LENGTH.pack(len(head), len(body)) + head)
    line.sendall(body)


def _receive(line: socket.socket) -> tuple[bytearray, bytearray] | None:
    """Receive the two parts of the next message; None at the end of the line."""
    lengths = _exactly(line, LENGTH.size)
    if lengths is None:
        return None
    head, body = LENGTH.unpack(lengths)
    if head + body > MAX_ANSWER_BYTES:
        raise ValueError("too long")
    parts = _exactly(line, head), _exactly(line, body)
    return None if parts[0] is None or parts[1] is None else (parts[0], parts[1])


def _exactly(line: socket.socket, length: int) -> bytearray | None:
    content = bytearray(length)
    view, received = memoryview(content), 0
    while received < length:
        number = line.recv_into(view[received:])
        if number == 0:
            return None
        received += number
    return content
