"""Bounded decompression of response bodies: a small bomb cannot fill the memory (DESIGN 7).

httpx inflates a whole chunk at once, and 64 KiB of gzip can hold 64 MiB. Here no step yields more than `PIECE_BYTES`,
and the reader stops at its limit.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import httpcore

from backend.outbound.deadline import Deadline
from backend.outbound.failures import FetchError, broken_body, connection_error

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Without Brotli and Zstandard: their windows alone may take 16 to 128 MiB.
ACCEPT_ENCODING = "gzip, deflate"
UNREADABLE_CODINGS = frozenset({"br", "dcb", "dcz", "compress", "x-compress"})
MAX_CODINGS = 3
PIECE_BYTES = 64 * 1024
# The largest window that HTTP allows (RFC 9659): 8 MiB.
ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}
# The beginnings of compressed bodies. Brotli and raw deflate have none.
GZIP_MAGIC, ZSTD_MAGIC = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
# The zlib headers of compression levels (RFC 1950, 2.2) that begin no text; 78 5e is "x^".
ZLIB_MAGICS = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
PEEKED_BYTES = 4

GZIP_WINDOW = 16 + zlib.MAX_WBITS
ZLIB_WINDOW = zlib.MAX_WBITS
RAW_WINDOW = -zlib.MAX_WBITS

Decoder = Callable[[Iterable[bytes], Deadline], Iterator[bytes]]


@dataclass(frozen=True)
class DecodedBody:
    """A decompressed body, or the beginning of one.

    Attributes:
        content: what came.
        is_cut: whether it was cut at the limit, sent or inflated.
        fault: the failure that ended the body before its end: a closed connection, or an incomplete stream.
    """

    content: bytes
    is_cut: bool = False
    fault: FetchError | None = None


class _LimitReached(Exception):
    """The body is longer than its limit."""


class _BrokenOff(Exception):
    """The body ends before its end."""

    def __init__(self, fault: FetchError) -> None:
        super().__init__(fault)
        self.fault = fault


def read_body(
    wire: Iterable[bytes],
    content_encoding: str,
    max_bytes: int,
    deadline: Deadline,
    take_room: Callable[[int], None] = lambda length: None,
) -> DecodedBody:
    """Read and decompress a body, at most `max_bytes`, sent or inflated.

    `take_room` is called with the length of each piece before it is stored; what it raises ends the reading. A body
    that a server compresses without naming the coding is known by its first bytes.

    Raises:
        FetchError: the compression is unknown or broken, or inflating takes too long.
    """
    pieces: Iterable[bytes] = _capped(_received(wire), max_bytes)
    for decode in _decoders(content_encoding):
        pieces = decode(pieces, deadline)
    body = io.BytesIO()
    try:
        for piece in _capped(pieces, max_bytes):
            take_room(len(piece))
            body.write(piece)
    except _LimitReached:
        return DecodedBody(body.getvalue(), is_cut=True)
    except _BrokenOff as broken:
        return DecodedBody(body.getvalue(), fault=broken.fault)
    return DecodedBody(body.getvalue())


def _received(wire: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what comes; a connection that ends within the body leaves what came before."""
    try:
        yield from wire
    except (httpcore.RemoteProtocolError, httpcore.ReadError) as error:
        raise _BrokenOff(connection_error(error)) from error


def _decoders(content_encoding: str) -> list[Decoder]:
    """Return the decoders in the order of their work; unknown names are ignored, as browsers do."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    decoders = [DECODERS[name] for name in reversed(names) if name in DECODERS]
    if UNREADABLE_CODINGS.intersection(names) or len(decoders) > MAX_CODINGS:
        raise FetchError("The site sends the page in a compression that was not asked for.")
    return decoders if len(decoders) == MAX_CODINGS else [*decoders, _decode_unnamed]


def _capped(pieces: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    room = max_bytes
    for piece in pieces:
        yield piece[:room]
        if len(piece) > room:
            raise _LimitReached
        room -= len(piece)


def _gunzip(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a gzip body: one member after another (RFC 1952, 2.2)."""
    return _inflate(pieces, GZIP_WINDOW, deadline)


def _undeflate(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a deflate body: in a zlib wrapper as RFC 9110 says, or raw as some servers send it."""
    head, pieces = _peek(pieces)
    wrapped = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0  # RFC 1950, 2.2
    yield from _inflate(pieces, ZLIB_WINDOW if wrapped else RAW_WINDOW, deadline)


def _decode_unnamed(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a body that no header calls compressed, by its first bytes; yield any other as it is."""
    head, pieces = _peek(pieces)
    if head.startswith(GZIP_MAGIC):
        yield from _gunzip(pieces, deadline)
    elif head.startswith(ZSTD_MAGIC):
        yield from _unzstd(pieces, deadline)
    elif head.startswith(ZLIB_MAGICS):
        yield from _inflate(pieces, ZLIB_WINDOW, deadline)
    else:
        yield from pieces


def _peek(pieces: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """Return the first bytes of a body, and all of its pieces."""
    rest, head = iter(pieces), b""
    for piece in rest:
        head += piece
        if len(head) >= PEEKED_BYTES:
            break
    return head, chain([head], rest)


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
                raise _undecompressable() from error
            yield inflated
            # A full piece may leave output inside zlib although all input is used up.
            data, fed = stream.unconsumed_tail, True
            more = bool(data) or len(inflated) == PIECE_BYTES
            if stream.eof:
                data, finished = stream.unused_data, finished + 1
                stream, fed, more = zlib.decompressobj(window), False, bool(data)
    if fed:
        raise _BrokenOff(broken_body())


def _unzstd(pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    """Decode a Zstandard body: one frame after another (RFC 8878, 3.1); ignore what follows and is no frame."""
    stream, finished, fed = zstd.ZstdDecompressor(options=ZSTD_OPTIONS), 0, False
    for data in pieces:
        more = bool(data)
        while more:
            deadline.remaining()
            try:
                inflated = stream.decompress(data, PIECE_BYTES)
            except zstd.ZstdError as error:
                if finished:
                    return
                raise _undecompressable() from error
            yield inflated
            data, fed = b"", True
            more = not (stream.needs_input or stream.eof)
            if stream.eof:
                data, finished = stream.unused_data, finished + 1
                stream, fed, more = zstd.ZstdDecompressor(options=ZSTD_OPTIONS), False, bool(data)
    if fed:
        raise _BrokenOff(broken_body())


def _undecompressable() -> FetchError:
    return FetchError("The site sent a page that cannot be decompressed.", retryable=True)


DECODERS: dict[str, Decoder] = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _undeflate, "zstd": _unzstd}
