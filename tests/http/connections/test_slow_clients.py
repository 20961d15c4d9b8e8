"""Slow clients of the real server: whom they do not delay, and when they are dropped."""

from __future__ import annotations

import http.client
import json
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.support.api import Api
from tests.support.live import LiveServer, serving

pytestmark = [pytest.mark.integration, pytest.mark.processes]
LIVE = b"GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n"
HALF_OPEN = b"GET / HTTP/1.1\r\nHost:"
UPLOAD = b"POST /api/v1/bookmarks HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
THREADS = 8


@pytest.fixture(scope="module")
def impatient(production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that waits two seconds for headers, and as long for every 2,000 bytes of a body."""
    limits = {"REQUEST_HEADER_SECONDS": "2", "REQUEST_BODY_BYTES_PER_SECOND": "1000"}
    with serving(tmp_path_factory.mktemp("impatient"), {**production, **limits}) as server:
        yield server


def connect(server: LiveServer, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=30)
    connection.sendall(sent)
    return connection


def status(connection: socket.socket) -> int:
    """The status of the next response, whose body is read."""
    with closing(http.client.HTTPResponse(connection)) as response:
        response.begin()
        response.read()
        return response.status


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True


def test_half_open_connections_hold_no_thread(live: LiveServer) -> None:
    with ExitStack() as opened:
        waiting = [opened.enter_context(closing(connect(live, HALF_OPEN))) for _ in range(500)]
        assert live.request("GET", "/api/health/live").status == 200
        assert all(map(is_open, waiting))


def test_slow_uploads_hold_no_thread(ada: Api, live: LiveServer) -> None:
    body = json.dumps({"url": "https://example.org/slow", "capture": False}).encode()
    head = UPLOAD + f"Authorization: Bearer {ada.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    chunked = UPLOAD + f"Authorization: Bearer {ada.token}\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n".encode()
    with ExitStack() as opened:
        waiting = [
            opened.enter_context(closing(connect(live, (chunked, head)[number % 2] + body[:20])))
            for number in range(3 * THREADS)
        ]
        assert live.request("GET", "/api/health/live").status == 200
        waiting[0].sendall(b"\r\n%X\r\n%b\r\n0\r\n\r\n" % (len(body) - 20, body[20:]))
        assert status(waiting[0]) == 201
        waiting[1].sendall(body[20:])
        assert status(waiting[1]) == 200


def test_a_body_that_is_larger_than_memory_arrives_whole(ada: Api, live: LiveServer) -> None:
    wanted = {"url": "https://example.org/large", "notes": "n" * 9_000, "capture": False}
    body = json.dumps(wanted).encode() + b" " * 500_000
    answer = live.request(
        "POST", "/api/v1/bookmarks", body, Authorization=f"Bearer {ada.token}", Content_Type="application/json"
    )
    assert answer.status == 201
    assert answer.json["notes"] == wanted["notes"]


def test_clients_that_read_nothing_hold_no_thread(live: LiveServer) -> None:
    sent = LIVE.replace(b"/api/health/live", b"/api/openapi.json")
    expected = live.request("GET", "/api/openapi.json").body
    with ExitStack() as opened:
        waiting = []
        for _ in range(3 * THREADS):
            connection = opened.enter_context(closing(socket.socket()))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(30)
            connection.connect((live.host, live.port))
            # All of them together are more than the system's buffers take.
            connection.sendall(sent * 8)
            waiting.append(connection)
        assert live.request("GET", "/api/health/live").status == 200
        found = opened.enter_context(waiting[-1].makefile("rb"))
        for _ in range(8):
            assert found.readline().startswith(b"HTTP/1.1 200 ")
            headers = http.client.parse_headers(found)
            assert found.read(int(headers["Content-Length"])) == expected


def test_requests_sent_together_are_answered_in_order(live: LiveServer) -> None:
    missing = LIVE.replace(b"live", b"nothing")
    sent = b"".join([LIVE, missing] * 20) + LIVE[:30]
    with connect(live, sent) as connection, connection.makefile("rb") as found:
        statuses = []
        for _ in range(40):
            statuses.append(int(found.readline().split()[1]))
            headers = http.client.parse_headers(found)
            found.read(int(headers["Content-Length"]))
        assert statuses == [200, 404] * 20
        connection.sendall(LIVE[30:])
        assert found.readline().startswith(b"HTTP/1.1 200 ")


def test_a_client_is_told_to_continue_once(live: LiveServer) -> None:
    with connect(live, UPLOAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n") as connection:
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


SLOW = {
    "headers": (HALF_OPEN, b"HTTP/1.1 408 "),
    "a body of some length": (UPLOAD + b"Content-Length: 100000\r\n\r\n{", b"HTTP/1.1 408 "),
    "chunks": (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"HTTP/1.1 408 "),
    "no request at all": (b"", b""),
}


def test_who_is_too_slow_is_refused_and_closed_and_a_fair_upload_goes_on(impatient: LiveServer) -> None:
    length = 1_000_000
    with ExitStack() as opened:
        fair = opened.enter_context(closing(connect(impatient, UPLOAD + b"Content-Length: %d\r\n\r\n" % length)))
        waiting = {name: opened.enter_context(closing(connect(impatient, sent))) for name, (sent, _) in SLOW.items()}
        while len(select.select(list(waiting.values()), [], [], 0.1)[0]) < len(SLOW):
            fair.sendall(b" " * 1_000)
            length -= 1_000
        for name, (_, expected) in SLOW.items():
            with waiting[name].makefile("rb") as received:
                answer = received.read()
            assert answer.startswith(expected), name
            assert (b"application/problem+json" in answer) == bool(expected), name
            assert (b"\r\nConnection: close\r\n" in answer) == bool(expected), name
        fair.sendall(b" " * length)
        assert status(fair) == 401
    assert "Traceback" not in impatient.logged()
