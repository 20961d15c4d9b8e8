"""Bounded decompression of response bodies: a small bomb cannot fill the memory (DESIGN 7).

httpx inflates a whole chunk at once, and 64 KiB of gzip can hold 64 MiB. Here no step yields more than `PIECE_BYTES`,
and the reader stops at its limit.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from backend.outbound.deadline import Deadline
from backend.outbound.failures import FetchError

# Without Brotli and Zstandard: their windows alone may take 16 to 128 MiB.
ACCEPT_ENCODING = "gzip, deflate"
UNREADABLE_CODINGS = frozenset({"br", "zstd", "dcb", "dcz", "compress", "x-compress"})
MAX_CODINGS = 3
PIECE_BYTES = 64 * 1024

GZIP_WINDOW = 16 + zlib.MAX_WBITS
ZLIB_WINDOW = zlib.MAX_WBITS
RAW_WINDOW = -zlib.MAX_WBITS

Decoder = Callable[[Iterable[bytes], Deadline], Iterator[bytes]]


class _CutShortError(Exception):
    """The body is truncated: by its limit, or by the server."""


def read_body(
    wire: Iterable[bytes],
    content_encoding: str,
    max_bytes: int,
    deadline: Deadline,
    take_room: Callable[[int], None] = lambda length: None,
) -> tuple[bytes, bool]:
    """Return the inflated body, and whether it was cut: at `max_bytes`, sent or inflated, or where a stream broke.

    `take_room` is called with the length of each piece before it is stored; what it raises ends the reading.

    Raises:
        FetchError: the compression is unknown or broken, or inflating takes too long.
    """
    pieces: Iterable[bytes] = _capped(wire, max_bytes)
    for decode in _decoders(content_encoding):
        pieces = decode(pieces, deadline)
    body = io.BytesIO()
    try:
        for piece in _capped(pieces, max_bytes):
            take_room(len(piece))
            body.write(piece)
    except _CutShortError:
        return body.getvalue(), True
    return body.getvalue(), False


def _decoders(content_encoding: str) -> list[Decoder]:
    """Return the decoders in the order of their work; unknown names are ignored, as browsers do."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    decoders = [DECODERS[name] for name in reversed(names) if name in DECODERS]
    if UNREADABLE_CODINGS.intersection(names) or len(decoders) > MAX_CODINGS:
        raise FetchError("The site sends the page in a compression that was not asked for.")
    return decoders


def _capped(pieces: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    room = max_bytes
    for piece in pieces:
        yield piece[:room]
        if len(piece) > room:
            raise _CutShortError
        room -= len(piece)


def _gunzip(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a gzip body: one member after another (RFC 1952, 2.2)."""
    return _inflate(pieces, GZIP_WINDOW, deadline)


def _undeflate(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a deflate body: in a zlib wrapper as RFC 9110 says, or raw as some servers send it."""
    rest = iter(pieces)
    head = b""
    while len(head) < 2 and (piece := next(rest, b"")):
        head += piece
    wrapped = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0  # RFC 1950, 2.2
    yield from _inflate(chain([head], rest), ZLIB_WINDOW if wrapped else RAW_WINDOW, deadline)


def _inflate(pieces: Iterable[bytes], window: int, deadline: Deadline) -> Iterator[bytes]:
    """Inflate one stream after another; ignore what follows the first and is no stream."""
    stream, finished, fed = zlib.decompressobj(window), 0, False
    for data in pieces:
        more = bool(data)
        while more:
            deadline.remaining()
            try:
                inflated = stream.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                if finished:
                    return
                raise FetchError("The site sent a page that cannot be decompressed.", retryable=True) from error
            yield inflated
            # A full piece may leave output inside zlib although all input is used up.
            data, fed = stream.unconsumed_tail, True
            more = bool(data) or len(inflated) == PIECE_BYTES
            if stream.eof:
                data, finished = stream.unused_data, finished + 1
                stream, fed, more = zlib.decompressobj(window), False, bool(data)
    if fed:
        raise _CutShortError


DECODERS: dict[str, Decoder] = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _undeflate}
