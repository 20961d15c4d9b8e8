"""What statuses, headers and broken servers come to (DESIGN 7)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from backend.capture.fetch import fetch_page
from config import VERSION
from tests.capture.fetching import HTML, PUBLIC, bounds, failure
from tests.capture.local_server import LocalServer, head, reset, response, running

pytestmark = pytest.mark.unit


# ---- Statuses


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (401, False), (402, False), (403, False), (404, False), (405, False), (406, False),
     (408, True), (409, False), (410, False), (418, False), (421, False), (425, True), (429, True),
     (451, False), (499, False), (500, True), (501, True), (502, True), (503, True), (504, True), (520, True),
     (599, True), (999, False)],
)  # fmt: skip
def test_a_status_says_whether_a_later_try_may_help(status: int, retryable: bool, server: LocalServer) -> None:
    server.answers["/"] = response(status, HTML, content_type="text/html")
    refusal = failure(server.url())
    assert refusal.retryable is retryable
    assert str(status) in refusal.reason
    assert refusal.retry_after_seconds is None


@pytest.mark.parametrize("status", [200, 201, 203, 206, 226])
def test_a_2xx_status_is_a_page(status: int, server: LocalServer) -> None:
    server.answers["/"] = response(status, HTML, content_type="text/html")
    assert fetch_page(server.url(), bounds()).status == status


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("120", 120), (" 7 ", 7), ("86400", 86400), ("86401", 86400), ("9" * 5000, 86400),
     ("-5", None), ("1.5", None), ("soon", None), ("²", None), ("Wed, 99 Foo 2020", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
     ("Wed, 21 Oct 2015 07:28:00 -0000", 0)],
)  # fmt: skip
def test_retry_after_is_honoured(status: int, value: str, seconds: int | None, server: LocalServer) -> None:
    server.answers["/"] = response(status, retry_after=value)
    assert failure(server.url()).retry_after_seconds == seconds


def test_retry_after_may_be_a_date(server: LocalServer) -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    server.answers["/"] = response(429, retry_after=format_datetime(later, usegmt=True))
    wait = failure(server.url()).retry_after_seconds
    assert wait is not None
    assert 80 <= wait <= 90


# ---- What a page is


@pytest.mark.parametrize(
    ("value", "media_type", "charset"),
    [("text/html", "text/html", None), ("text/html; charset=UTF-8", "text/html", "utf-8"),
     ('Text/HTML;Charset="Shift_JIS"; x=y', "text/html", "shift_jis"),
     ("text/plain;charset=", "text/plain", None), ("text/html;charset=\xff", "text/html", None),
     ("application/pdf", "application/pdf", None), ("application/xhtml+xml", "application/xhtml+xml", None),
     ("text", "text/html", None), ("", "text/html", None), (";charset=koi8-r", "text/html", "koi8-r"),
     ("text/html, text/html", "text/html", None)],
)  # fmt: skip
def test_media_type_and_charset_come_from_the_header(
    value: str, media_type: str, charset: str | None, server: LocalServer
) -> None:
    server.answers["/"] = response(body=HTML, content_type=value)
    page = fetch_page(server.url(), bounds())
    assert (page.media_type, page.charset, page.body) == (media_type, charset, HTML)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"<!DOCTYPE html><p>", "text/html"), (b"\xef\xbb\xbf \r\n\t<HTML lang=en>", "text/html"),
     (b"%PDF-1.7\n", "application/pdf"), (b"plain words", "application/octet-stream"),
     (b"", "application/octet-stream")],
)  # fmt: skip
def test_without_a_header_the_first_bytes_tell_the_media_type(
    body: bytes, media_type: str, server: LocalServer
) -> None:
    server.answers["/"] = response(body=body)
    assert fetch_page(server.url(), bounds()).media_type == media_type


@pytest.mark.parametrize(
    "media_type",
    ["image/png", "image/svg+xml", "IMAGE/JPEG", "video/mp4", "audio/mpeg", "font/woff2", "application/zip",
     "application/x-zip-compressed", "application/gzip", "application/x-gzip", "application/x-tar",
     "application/x-7z-compressed", "application/vnd.rar", "application/java-archive", "application/epub+zip",
     "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     "application/x-iso9660-image", "application/x-msdownload"],
)  # fmt: skip
def test_what_cannot_be_read_is_not_downloaded(media_type: str, server: LocalServer) -> None:
    server.answers["/"] = head(content_type=media_type, content_length=str(1 << 40))
    page = fetch_page(server.url(), bounds())
    assert (page.media_type, page.body, page.truncated) == (media_type.lower(), b"", False)


def test_an_empty_page_is_a_page(server: LocalServer) -> None:
    server.answers["/"] = response(content_type="text/html")
    page = fetch_page(server.url("/#part"), bounds())
    assert (page.url, page.status, page.body, page.truncated) == (server.url(), 200, b"", False)


def test_an_http_1_0_server_that_just_closes_is_read(server: LocalServer) -> None:
    server.answers["/"] = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML
    page = fetch_page(server.url(), bounds())
    assert (page.body, page.truncated) == (HTML, False)


def test_the_request_is_honest_and_reads_nothing_of_the_environment(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.9:1")
    server.answers["/"] = response(body=HTML)
    fetch_page(server.url(), bounds())
    headers = server.requests[0].headers
    assert headers["user-agent"].startswith(f"Fuze/{VERSION} (+")
    assert headers["host"] == f"{PUBLIC}:{server.port}"
    assert "authorization" not in headers
    fetch_page(server.url(), bounds(user_agent="Other/1"))
    assert server.requests[1].headers["user-agent"] == "Other/1"


# ---- Broken servers


def broken_in_body(connection: socket.socket) -> None:
    connection.sendall(head(content_type="text/html", content_length="1000") + b"half")
    time.sleep(0.05)
    reset(connection)


BROKEN: dict[str, bytes | Callable[[socket.socket], None]] = {
    "reset before the answer": reset,
    "reset in the body": broken_in_body,
    "closed at once": b"",
    "closed in the headers": b"HTTP/1.1 200 OK\r\nContent-",
    "closed in the body": head(content_type="text/html", content_length="1000") + b"half",
    "closed in a chunk": head(content_type="text/html", transfer_encoding="chunked") + b"ff\r\nhalf",
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/0.9": HTML,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "status is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "header with a NUL": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab",
    "unknown transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": head(content_type="text/html", transfer_encoding="chunked") + b"xyz\r\nabc\r\n",
    "endless chunk extension": head(transfer_encoding="chunked") + b"1;" + b"a" * 300_000,
    "unasked switch of protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "random bytes": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_may_be_tried_again(fault: str, server: LocalServer) -> None:
    server.answers["/"] = BROKEN[fault]
    refusal = failure(server.url())
    assert refusal.retryable
    assert refusal.retry_after_seconds is None


def test_a_closed_port_may_be_tried_again() -> None:
    with running() as spare:
        port = spare.port
    assert failure(f"http://{PUBLIC}:{port}/").retryable
