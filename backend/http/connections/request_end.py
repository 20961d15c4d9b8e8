"""Where a request ends: tells when all of it has arrived, so that no thread waits for the rest.

gunicorn's parser alone says what a request is. Where this scan and the parser differ, a thread sees the end of the
connection, and no other request is read from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HEAD_END = b"\r\n\r\n"
# Of request line and headers together. gunicorn would take a hundred headers of 8 KiB.
HEAD_BYTES = 64 * 1024
# A length with more digits is left to the parser.
LENGTH = re.compile(rb"[ \t]*([0-9]{1,15})[ \t]*\r\n")
CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,15})[ \t]*(?:;|\r\n)", re.IGNORECASE)
CHUNK_LINE_BYTES = 8192
BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")


class RequestEnd:
    """Scans the bytes of one request as they come in. `is_reached` where a thread can take it."""

    def __init__(self, most_body_bytes: int) -> None:
        self.is_reached = False
        # Whether the body is longer than what is collected: the application refuses it by its headers.
        self.is_beyond_limit = False
        self.expects_continue = False
        self.has_head = False
        self._most = most_body_bytes
        self._missing = 0
        self.body_bytes = 0
        self._chunks: ChunkScan | None = None

    def scan_head(self, received: bytearray, start: int) -> None:
        """Look for the end of the headers in all bytes so far; those before `start` have been looked at."""
        end = received.find(HEAD_END, max(0, start - len(HEAD_END) + 1))
        if end >= 0:
            self.has_head = True
            self._read_head(bytes(received[: end + 2]).lower(), memoryview(received)[end + len(HEAD_END) :])
        else:
            # The parser refuses both at once; more bytes would not mend them.
            self.is_reached = len(received) > HEAD_BYTES or BARE_LINE_FEED.search(received) is not None

    def scan_body(self, piece: bytes | memoryview) -> None:
        """Count the next bytes behind the headers."""
        self.body_bytes += len(piece)
        if self._chunks is not None:
            self.is_reached = self._chunks.scan(bytes(piece))
        else:
            self._missing -= len(piece)
            self.is_reached = self._missing <= 0
        if not self.is_reached and self.body_bytes > self._most:
            self.is_reached = self.is_beyond_limit = True

    def _read_head(self, head: bytes, rest: memoryview) -> None:
        """Find out from the headers, in lower case, how the body ends."""
        length, coding = _value(head, b"\r\ncontent-length:"), _value(head, b"\r\ntransfer-encoding:")
        if length is None and coding is None:
            self.is_reached = True
            return
        expectation = _value(head, b"\r\nexpect:")
        self.expects_continue = expectation is not None and b" http/1.1\r\n" in head
        is_unknown = expectation is not None and expectation.strip() != b"100-continue"
        if is_unknown or (length is not None and coding is not None):
            # The parser refuses both.
            self.is_reached = True
        elif coding is not None:
            self._chunks = ChunkScan()
            self.is_reached = coding.strip() != b"chunked"
        else:
            self._read_length(length or b"")
        if not self.is_reached:
            self.scan_body(rest)

    def _read_length(self, value: bytes) -> None:
        found = LENGTH.fullmatch(value + b"\r\n")
        self._missing = int(found[1]) if found else 0
        self.is_beyond_limit = self._missing > self._most
        self.is_reached = self.is_beyond_limit or self._missing == 0


class ChunkScan:
    """Finds the end of a chunked body (RFC 9112, 7.1); what is malformed is an end too, for the parser to refuse."""

    def __init__(self) -> None:
        self._line = b""
        self._skipped = 0
        self._step: Callable[[bytes], bytes] = self._read_size
        self._is_over = False

    def scan(self, piece: bytes) -> bool:
        """Whether the body has ended with this piece, or before."""
        while piece and not self._is_over:
            piece = self._step(piece)
        return self._is_over

    def _read_size(self, piece: bytes) -> bytes:
        before = len(self._line)
        self._line += piece[:CHUNK_LINE_BYTES]
        end = self._line.find(b"\r\n")
        if end < 0:
            self._is_over = len(self._line) > CHUNK_LINE_BYTES
            return piece[CHUNK_LINE_BYTES:]
        found = CHUNK_SIZE.match(self._line)
        self._line = b""
        if found is None:
            self._is_over = True
        elif int(found[1], 16):
            # With the line end behind the data.
            self._skipped, self._step = int(found[1], 16) + 2, self._skip_data
        else:
            self._line, self._step = b"\r\n", self._read_trailers
        return piece[end + 2 - before :]

    def _skip_data(self, piece: bytes) -> bytes:
        skipped = min(len(piece), self._skipped)
        self._skipped -= skipped
        if not self._skipped:
            self._step = self._read_size
        return piece[skipped:]

    def _read_trailers(self, piece: bytes) -> bytes:
        """Look for an empty line; the line end of the last chunk is the first that it may follow."""
        line = self._line + piece
        self._is_over = HEAD_END in line or BARE_LINE_FEED.search(line, len(self._line)) is not None
        self._line = line[-3:]
        return b""


def _value(head: bytes, name: bytes) -> bytes | None:
    start = head.find(name)
    if start < 0:
        return None
    start += len(name)
    return head[start : head.index(b"\r\n", start)]
