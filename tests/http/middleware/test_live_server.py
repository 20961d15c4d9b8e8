"""What only the real server can show: chunks, its own headers, and whom it believes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from backend.http.middleware.input_validation import REQUEST_LINE_BYTES
from backend.http.middleware.security_headers import API_POLICY, HEADERS
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import eventually

pytestmark = [pytest.mark.integration, pytest.mark.processes]


def _in_chunks(total: int, size: int = 65536) -> Iterator[bytes]:
    for _ in range(total // size):
        yield b" " * size


def test_the_server_does_not_say_what_it_is(live: LiveServer) -> None:
    for path in ("/api/health/live", "/api/v1/profile", "/nothing"):
        headers = live.request("GET", path).headers
        assert "Server" not in headers
        assert "X-Powered-By" not in headers


def test_a_chunked_body_is_read(ada: Api, live: LiveServer) -> None:
    body = json.dumps({"url": "https://example.org/chunked", "capture": False}).encode()
    pieces = iter([body[:10], body[10:]])
    answer = live.request(
        "POST", "/api/v1/bookmarks", pieces, Authorization=f"Bearer {ada.token}", Content_Type="application/json"
    )
    assert answer.status == 201
    assert answer.json["url"] == "https://example.org/chunked"


def test_a_chunked_body_is_capped_like_any_other(ada: Api, live: LiveServer) -> None:
    answer = live.request(
        "POST",
        "/api/v1/bookmarks",
        _in_chunks(2 * 1024 * 1024),
        Authorization=f"Bearer {ada.token}",
        Content_Type="application/json",
    )
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.json["request_id"]


def test_a_caller_on_this_machine_is_no_proxy_unless_the_operator_says_so(live: LiveServer) -> None:
    answer = live.request("GET", "/api/health/live", X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert answer.status == 200
    assert "Strict-Transport-Security" not in answer.headers


def test_the_longest_link_can_be_looked_up(ada: Api, live: LiveServer) -> None:
    path = "%25" * 2000
    url = ("https%3A%2F%2Fexample.org%2F" + path)[: 2048 * 3]
    answer = live.request("GET", f"/api/v1/bookmarks/lookup?url={url}", Authorization=f"Bearer {ada.token}")
    assert answer.status == 404


def test_a_body_that_is_only_declared_too_long_is_refused_unread(ada: Api, live: LiveServer) -> None:
    answer = live.request(
        "POST",
        "/api/v1/bookmarks",
        b"{}",
        Authorization=f"Bearer {ada.token}",
        Content_Type="application/json",
        Content_Length=str(2**40),
    )
    assert answer.status == 413


MALFORMED = {
    "size that is none": b"zz-secret-of-the-body\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": b"5\r\nhello secret-of-the-body\r\n0\r\n\r\n",
    "bare CR in an extension": b"5;a\rb=secret-of-the-body\r\nhello\r\n0\r\n\r\n",
    "malformed extension": b"5;secret of the body\r\nhello\r\n0\r\n\r\n",
    "size line without an end": b"5;" + b"a" * 20_000,
    "malformed trailer": b"5\r\nhello\r\n0\r\nsecret-of-the-body\r\n\r\n",
    "trailer that ends in LF": b"5\r\nhello\r\n0\r\na: secret-of-the-body\n\n",
    "too many trailers": b"5\r\nhello\r\n0\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    "cut within a chunk": b"50\r\nsecret-of-the-body",
    "cut before the end": b"5\r\nhello\r\n",
    "cut within the trailers": b"5\r\nhello\r\n0\r\n",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_malformed_chunked_body_is_400_and_told_to_nobody(
    ada: Api, live: LiveServer, body: bytes, encoding: str
) -> None:
    head = [
        "POST /api/v1/bookmarks HTTP/1.1",
        f"Host: {live.host}",
        f"Authorization: Bearer {ada.token}",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        f"Content-Encoding: {encoding}",
    ]
    [answer] = live.exchange("\r\n".join([*head, "", ""]).encode() + body)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.json["request_id"]
    assert b"secret" not in answer.body
    logged = live.logged()
    assert "Traceback" not in logged
    assert "secret-of-the-body" not in logged
    assert "secret of the body" not in logged


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_that_nobody_reads_gets_one_answer_and_ends_the_connection(
    live: LiveServer, body: bytes
) -> None:
    head = b"POST /api/v1/bookmarks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    again = b"GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n"
    answers = live.exchange(head + body + again)
    assert [answer.status for answer in answers] == [401]
    assert "Traceback" not in live.logged()


HOST = b"Host: h\r\n"
REFUSED = {
    "no HTTP": (b"secret\r\n\r\n", 400),
    "no version": (b"GET /secret\r\n\r\n", 400),
    "unknown version": (b"GET /secret HTTP/9.9\r\n" + HOST + b"\r\n", 400),
    "no method": (b"G\x01T /secret HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "line too long": (b"GET /secret?" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "line without an end": (b"GET /secret?" + b"a" * 70_000, 414),
    "header too long": (b"GET /secret HTTP/1.1\r\n" + HOST + b"a: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    "too many headers": (b"GET /secret HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 200 + b"\r\n", 431),
    "header without a name": (b"GET /secret HTTP/1.1\r\n" + HOST + b": secret\r\n\r\n", 400),
    "blank in a header's name": (b"GET /secret HTTP/1.1\r\n" + HOST + b"a b: secret\r\n\r\n", 400),
    "folded header": (b"GET /secret HTTP/1.1\r\n" + HOST + b"a: b\r\n secret\r\n\r\n", 400),
    "NUL in a header": (b"GET /secret HTTP/1.1\r\n" + HOST + b"a: \x00secret\r\n\r\n", 400),
    "two lengths": (b"POST /secret HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "length that is none": (b"POST /secret HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
    "length and chunks": (
        b"POST /secret HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "unknown coding": (b"POST /secret HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: secret\r\n\r\n", 501),
    "unknown expectation": (b"POST /secret HTTP/1.1\r\n" + HOST + b"Expect: secret\r\nContent-Length: 1\r\n\r\na", 417),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_is_refused_as_a_problem(live: LiveServer, sent: bytes, status: int) -> None:
    [answer] = live.exchange(sent)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert problem["status"] == status
    assert answer.headers["X-Request-ID"] == problem["request_id"]
    assert eventually(lambda: problem["request_id"] in live.logged())
    for name, value in {**HEADERS, "Content-Security-Policy": API_POLICY, "Connection": "close"}.items():
        assert answer.headers.get_all(name) == [value]
    assert "Server" not in answer.headers
    assert "secret" not in problem["detail"]
    assert "Traceback" not in live.logged()


IDEOGRAPH, EMOJI = "語", "\U0001f600"
# What may be stored, or asked for, as long as it may be: what one limit lets in no other keeps out.
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "search": ("/api/v1/search", {"q": EMOJI * 1000}),
    "filter of a list": ("/api/v1/bookmarks", {"q": EMOJI * 1000}),
    "suggestions": ("/api/v1/search/suggest", {"q": EMOJI * 1000}),
    "a tag": ("/api/v1/bookmarks", {"tag": EMOJI * 100}),
    "twelve tags": ("/api/v1/bookmarks", {"tag": [f"{number:02d}" + EMOJI * 98 for number in range(12)]}),
    "a tag of the list": ("/api/v1/tags", {"q": EMOJI * 100}),
    "a domain": ("/api/v1/bookmarks", {"domain": "a" * 253}),
    "a text to recommend for": (
        "/api/v1/recommendations",
        {"text": EMOJI * 1300, "engine": "collaborative", "limit": 50, "exclude_read": "false"},
    ),
    "a link of 1,024 ideographs": ("/api/v1/bookmarks/lookup", {"url": "https://example.org/" + IDEOGRAPH * 1004}),
    "a link of 2,048 letters": ("/api/v1/bookmarks/lookup", {"url": "https://example.org/" + "a" * 2028}),
    "a link of 2,048 escapes": ("/api/v1/bookmarks/lookup", {"url": "https://example.org/" + "%41" * 676}),
}


@pytest.mark.parametrize(("path", "query"), ASKED.values(), ids=ASKED)
def test_what_may_be_asked_for_fits_into_an_address(
    ada: Api, live: LiveServer, path: str, query: dict[str, Any]
) -> None:
    answer = live.request("GET", f"{path}?{urlencode(query, doseq=True)}", Authorization=f"Bearer {ada.token}")
    assert answer.status == (404 if path.endswith("lookup") else 200), answer.body


@pytest.mark.parametrize("letter", ["a", "%41", "é", IDEOGRAPH, EMOJI])
def test_every_link_that_can_be_saved_can_be_looked_up(ada: Api, live: LiveServer, letter: str) -> None:
    url = ("https://example.org/" + letter * 2048)[: 2047 if len(letter) > 1 else 2048]
    saved = live.send("POST", "/api/v1/bookmarks", {"url": url, "capture": False}, ada.token)
    assert saved.status == 201
    found = live.send("POST", "/api/v1/bookmarks/lookup", {"url": url}, ada.token)
    assert (found.status, found.json["id"], found.json["url"]) == (200, saved.json["id"], url)


def test_the_first_line_of_a_request_may_have_16_kib(live: LiveServer) -> None:
    around = len(b"GET /api/health/live? HTTP/1.1")
    for length, status in ((REQUEST_LINE_BYTES, 422), (REQUEST_LINE_BYTES + 1, 414)):
        line = b"GET /api/health/live?" + b"a" * (length - around) + b" HTTP/1.1"
        [answer] = live.exchange(line + b"\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert answer.status == status
