"""Where a request ends: the same wherever its bytes are cut, and never before the parser would say so."""

from __future__ import annotations

import pytest

from backend.http.connections.request_end import HEAD_BYTES, RequestEnd

pytestmark = pytest.mark.unit
HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"
MOST = 1000
WHOLE = {
    "no body": b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "no headers": b"GET / HTTP/1.1\r\n\r\n",
    "an empty line before it": b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "a body of some length": HEAD + b"content-LENGTH:  5 \r\n\r\nhello",
    "an empty body": HEAD + b"Content-Length: 0\r\n\r\n",
    "chunks": HEAD + b"Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    "chunks and trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n",
}
FOR_THE_PARSER = {
    "a bare line feed": b"GET / HTTP/1.1\n",
    "a head without an end": b"GET /" + b"a" * HEAD_BYTES,
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an unknown coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "an unknown expectation": HEAD + b"Expect: cake\r\nContent-Length: 5\r\n\r\n",
    "a length that is none": HEAD + b"Content-Length: -5\r\n\r\n",
    "a length of too many digits": HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "a chunk without a size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",
    "a size without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
    "a trailer that ends in a line feed": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n",
}
BEYOND = {
    "length": HEAD + b"Content-Length: 1001\r\n\r\n",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFF\r\n" + b" " * 1001,
}


def scan(sent: bytes, size: int, most: int = MOST) -> tuple[RequestEnd, int]:
    """Scan in pieces of this size; the scan, and how many bytes it took to the end."""
    end, received = RequestEnd(most), bytearray()
    for start in range(0, len(sent), size):
        piece = sent[start : start + size]
        received += piece
        if end.has_head:
            end.scan_body(piece)
        else:
            end.scan_head(received, start)
        if end.is_reached:
            break
    return end, len(received)


@pytest.mark.parametrize("request_bytes", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_a_whole_request_ends_with_its_last_byte(request_bytes: bytes, size: int) -> None:
    end, taken = scan(request_bytes + b"GET", size)
    assert end.is_reached
    assert not end.is_beyond_limit
    assert len(request_bytes) <= taken < len(request_bytes) + max(size, 1)
    assert not scan(request_bytes[:-1], size)[0].is_reached


@pytest.mark.parametrize("sent", FOR_THE_PARSER.values(), ids=FOR_THE_PARSER)
def test_what_the_parser_will_refuse_is_not_waited_for(sent: bytes) -> None:
    for size in (1, 10_000):
        end, _ = scan(sent + b"x" * 8, size, most=10**6)
        assert end.is_reached


@pytest.mark.parametrize("sent", BEYOND.values(), ids=BEYOND)
def test_a_body_beyond_the_limit_is_not_collected(sent: bytes) -> None:
    end, _ = scan(sent, 100)
    assert end.is_reached
    assert end.is_beyond_limit


@pytest.mark.parametrize(("version", "expected"), [(b"1.1", True), (b"1.0", False)])
def test_only_http_1_1_can_expect_to_be_told_to_continue(version: bytes, expected: bool) -> None:
    sent = HEAD.replace(b"1.1", version) + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    end, _ = scan(sent, 10_000)
    assert not end.is_reached
    assert end.expects_continue is expected
