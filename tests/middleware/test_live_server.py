"""What only the real server can show: chunks, its own headers, and whom it believes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.api import Api
from tests.live import LiveServer

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
