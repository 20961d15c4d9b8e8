"""Bodies that are huge, compressed or both (DESIGN 7)."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd

from backend.capture.fetch import fetch_page
from backend.outbound.decode import PIECE_BYTES
from tests.capture.fetching import HTML, MIB, bounds, failure, given_up
from tests.capture.local_server import LocalServer, head, response

pytestmark = pytest.mark.unit


# ---- Size


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_huge_body_is_cut_and_the_rest_is_not_read(framing: str, server: LocalServer) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        kind = {"length": {"content_length": str(1 << 40)}, "chunked": {"transfer_encoding": "chunked"}}
        connection.sendall(head(content_type="text/html", **kind.get(framing, {})))
        block = b"a" * 65536
        while sent < 200 * MIB:
            connection.sendall(b"10000\r\n" + block + b"\r\n" if framing == "chunked" else block)
            sent += len(block)

    server.answers["/"] = flood
    page = fetch_page(server.url(), bounds(max_bytes=100_000))
    assert page.body == b"a" * 100_000
    assert page.truncated
    assert sent < 50 * MIB


@pytest.mark.parametrize(("size", "truncated"), [(999, False), (1000, False), (1001, True)])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_is_cut_only_past_the_limit(coding: str, size: int, truncated: bool, server: LocalServer) -> None:
    body = b"a" * size
    server.answers["/"] = response(
        body=gzip.compress(body) if coding == "gzip" else body,
        content_type="text/html",
        content_encoding=coding,
    )
    page = fetch_page(server.url(), bounds(max_bytes=1000))
    assert (page.body, page.truncated) == (body[:1000], truncated)


GZIP_START = gzip.compress(b"")[:10]
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # stored deflate data of no bytes, not the last block


def repeated(content: bytes, times: int) -> bytes:
    """Gzip, without its end, of a content many times over: one flushed block repeated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return GZIP_START + (deflate.compress(content) + deflate.flush(zlib.Z_FULL_FLUSH)) * times


def bomb() -> bytes:
    """10 MiB of gzip that hold 10 GiB of zeros."""
    return repeated(bytes(MIB), 10_240)


BOMBS = {
    "gzip": (bomb, "gzip"),
    "unnamed gzip": (bomb, "identity"),
    "zstd": (lambda: zstd.compress(bytes(256 * MIB)), "zstd"),
    "unnamed zstd": (lambda: zstd.compress(bytes(256 * MIB)), ""),
    "unnamed gzip in gzip": (lambda: gzip.compress(bomb()), "gzip"),
    "gzip in gzip": (lambda: gzip.compress(bomb()), "gzip, gzip"),
    "gzip in deflate": (lambda: zlib.compress(bomb()), "gzip, deflate"),
    "gzip in gzip in gzip": (lambda: gzip.compress(gzip.compress(bomb())), "gzip, gzip, x-gzip"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_compressed_bomb_is_cut_and_the_memory_stays_small(kind: str, server: LocalServer) -> None:
    make, coding = BOMBS[kind]
    server.answers["/"] = response(body=make(), content_type="text/html", content_encoding=coding)
    fetch_page(server.url(), bounds(max_bytes=1000))  # What is loaded once, such as certificates, is not counted.
    tracemalloc.start()
    try:
        page = fetch_page(server.url(), bounds(max_bytes=2 * MIB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert page.body == bytes(2 * MIB)
    assert page.truncated
    assert peak < 4 * MIB


@pytest.mark.parametrize(
    ("make", "coding"),
    [(lambda: GZIP_START + EMPTY_BLOCK * 200_000, "gzip"),
     (lambda: gzip.compress(b"") * 40_000, "gzip")],
    ids=["empty blocks", "empty members"],
)  # fmt: skip
def test_compressed_nothing_without_end_ends(make: Callable[[], bytes], coding: str, server: LocalServer) -> None:
    server.answers["/"] = response(body=make(), content_type="text/html", content_encoding=coding)
    page = fetch_page(server.url(), bounds(max_bytes=500_000))
    assert (page.body, page.truncated) == (b"", True)


def test_compressed_nothing_that_breaks_off_is_no_page(server: LocalServer) -> None:
    body = gzip.compress(GZIP_START + EMPTY_BLOCK * 2_000_000)
    server.answers["/"] = response(body=body, content_type="text/html", content_encoding="gzip, gzip")
    refusal = failure(server.url(), bounds(max_bytes=500_000))
    assert (refusal.reason, refusal.retryable) == ("The site sent only a part of the page.", True)


def test_a_small_bomb_that_inflates_to_nothing_ends_at_the_deadline(server: LocalServer) -> None:
    inner = repeated(EMPTY_BLOCK * 200_000, 4_000)
    # The second member goes on where the first one's content ends; all of it arrives in one piece.
    body = gzip.compress(gzip.compress(GZIP_START) + inner)
    assert len(body) < 64 * 1024
    server.answers["/"] = response(body=body, content_type="text/html", content_encoding="gzip, gzip, gzip")
    given_up(server.url(), bounds(timeout_seconds=0.3))


@pytest.mark.parametrize(
    "make_head",
    [lambda: b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000, lambda: b"HTTP/1.1 200 OK\r\nX: " + b"a" * MIB,
     lambda: b"HTTP/1.1 200 " + b"a" * MIB],
    ids=["many", "long", "reason"],
)  # fmt: skip
def test_headers_beyond_measure_are_refused(make_head: Callable[[], bytes], server: LocalServer) -> None:
    server.answers["/"] = make_head() + b"\r\n\r\n"
    assert failure(server.url()).retryable


# ---- Compression


COMPRESSED = {
    "gzip": (gzip.compress(HTML), "gzip"),
    "x-gzip": (gzip.compress(HTML), "X-GZIP"),
    "two members": (gzip.compress(HTML[:9]) + gzip.compress(HTML[9:]), "gzip"),
    "trailing rubbish": (gzip.compress(HTML) + b"rubbish after the end", "gzip"),
    "trailing zeros": (gzip.compress(HTML) + bytes(100), "gzip"),
    "zlib": (zlib.compress(HTML), "deflate"),
    "raw deflate": (zlib.compress(HTML, wbits=-15), "deflate"),
    "gzip in gzip": (gzip.compress(gzip.compress(HTML)), "gzip, gzip"),
    "zstd": (zstd.compress(HTML), "zstd"),
    "zstd in gzip": (gzip.compress(zstd.compress(HTML)), "zstd, gzip"),
    "two frames of zstd": (zstd.compress(HTML[:9]) + zstd.compress(HTML[9:]), "zstd"),
    "identity": (HTML, "identity"),
    "no coding at all": (HTML, "UTF-8"),
    "unnamed gzip": (gzip.compress(HTML), ""),
    "unnamed zstd": (zstd.compress(HTML), ""),
    "unnamed zlib": (zlib.compress(HTML), ""),
    "gzip of the slowest level": (gzip.compress(HTML, 9), "identity"),
    "gzip under another name": (gzip.compress(HTML), "utf-8"),
    "gzip twice and named once": (gzip.compress(gzip.compress(HTML)), "gzip"),
}


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_compressed_body_is_read(kind: str, step: int, server: LocalServer) -> None:
    body, coding = COMPRESSED[kind]
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + step]), body[at : at + step]) for at in range(0, len(body), step)
    )
    server.answers["/"] = head(content_encoding=coding, transfer_encoding="chunked") + chunks + b"0\r\n\r\n"
    page = fetch_page(server.url(), bounds())
    assert (page.body, page.media_type, page.truncated) == (HTML, "text/html", False)


def test_a_long_compressed_body_is_read_to_its_last_byte(server: LocalServer) -> None:
    body = b"".join(b"%d " % number for number in range(400_000)) + b"e" * 300_000
    for coding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
        server.answers["/"] = response(body=packed, content_encoding=coding)
        page = fetch_page(server.url(), bounds())
        assert page.body == body
        assert not page.truncated


@pytest.mark.parametrize("over", [0, 1, 3, 50, 150, 257, 258])
def test_output_that_zlib_holds_back_at_the_end_of_its_input_is_not_lost(over: int, server: LocalServer) -> None:
    body = b"a" * (PIECE_BYTES + over)
    server.answers["/"] = response(body=zlib.compress(body, wbits=-15), content_encoding="deflate")
    page = fetch_page(server.url(), bounds())
    assert (page.body, page.truncated) == (body, False)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body_that_claims_to_be_compressed_is_empty(coding: str, server: LocalServer) -> None:
    server.answers["/"] = response(content_type="text/html", content_encoding=coding)
    page = fetch_page(server.url(), bounds())
    assert (page.body, page.truncated) == (b"", False)


UNNAMED = [b"x^2 + y^2", b"x", b"\x1f\x8b", b"(\xb5", b"\x1f\x8b\x09 is no gzip"]


@pytest.mark.parametrize("body", UNNAMED)
def test_what_only_looks_like_a_beginning_is_left_as_it_is(body: bytes, server: LocalServer) -> None:
    server.answers["/"] = response(body=body, content_type="text/plain")
    assert fetch_page(server.url(), bounds()).body == body


@pytest.mark.parametrize("damage", [4, 6])
@pytest.mark.parametrize("coding", ["", "zstd"])
def test_zstandard_that_is_damaged_is_a_fault(coding: str, damage: int, server: LocalServer) -> None:
    packed = bytearray(zstd.compress(HTML * 99))
    packed[damage] ^= 0xFF
    server.answers["/"] = response(body=bytes(packed), content_encoding=coding)
    assert failure(server.url()).retryable


def test_a_window_beyond_what_http_allows_is_refused(server: LocalServer) -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    body = packer.compress(HTML * 99, packer.FLUSH_BLOCK) + packer.flush()
    server.answers["/"] = response(body=body, content_type="text/html", content_encoding="zstd")
    assert "cannot be decompressed" in failure(server.url()).reason


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_compressed_stream_that_breaks_off_gives_what_came_and_says_so(coding: str, server: LocalServer) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}[coding]
    body = pack(b"".join(HTML + b"<p>%d" % (number * number) for number in range(50_000)))
    server.answers["/"] = response(body=body[: len(body) // 2], content_encoding=coding)
    page = fetch_page(server.url(), bounds())
    assert page.truncated
    assert page.broken_off
    assert page.body.startswith(HTML)


@pytest.mark.parametrize("coding", ["br", "gzip, br", "compress", "gzip, gzip, gzip, gzip"])
def test_a_compression_that_was_not_asked_for_is_refused(coding: str, server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML, content_type="text/html", content_encoding=coding)
    assert not failure(server.url()).retryable
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_compressed_as_it_claims_is_a_fault(coding: str, server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML, content_type="text/html", content_encoding=coding)
    assert failure(server.url()).retryable


# ---- Bodies that end before their end


def cut_chunk(body: bytes) -> bytes:
    return head(content_type="text/html", transfer_encoding="chunked") + b"fff\r\n" + body


def cut_length(body: bytes) -> bytes:
    return head(content_type="text/html", content_length="10000") + body


def cut_gzip(body: bytes) -> bytes:
    packed = gzip.compress(body)[:-9]
    return head(content_type="text/html", content_encoding="gzip", content_length="10000") + packed


CUTS = [cut_chunk, cut_length, cut_gzip]


@pytest.mark.parametrize("cut", CUTS)
def test_the_beginning_of_a_document_is_a_page_that_says_so(cut: Callable[[bytes], bytes], server: LocalServer) -> None:
    server.answers["/"] = cut(HTML)
    page = fetch_page(server.url(), bounds())
    assert HTML.startswith(page.body)
    assert page.body.startswith(HTML[:20])
    assert (page.truncated, page.broken_off) == (True, True)


@pytest.mark.parametrize("body", [b"", b" \r\n", b"half"])
@pytest.mark.parametrize("cut", CUTS)
def test_less_than_a_document_may_be_tried_again(
    cut: Callable[[bytes], bytes], body: bytes, server: LocalServer
) -> None:
    server.answers["/"] = cut(body)
    assert failure(server.url()).retryable


def test_a_long_page_was_not_broken_off(server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML * 99, content_type="text/html")
    page = fetch_page(server.url(), bounds(max_bytes=1000))
    assert (page.truncated, page.broken_off) == (True, False)
