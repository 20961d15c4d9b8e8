"""gunicorn's worker: how long a thread stays with a connection."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from backend.http.gunicorn_worker import HANDED_OVER, Worker

pytestmark = pytest.mark.unit
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Connection:
    """A connection to a client, and what was read beyond the last request."""

    def __init__(self) -> None:
        self.client, self.sock = socket.socketpair()
        self.read_ahead = b""
        self.parser = SimpleNamespace(unreader=SimpleNamespace(buf=SimpleNamespace(getvalue=lambda: self.read_ahead)))


@pytest.fixture
def connection() -> Iterator[Connection]:
    connection = Connection()
    yield connection
    connection.client.close()
    connection.sock.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(1, 1, [], None, 60, Config(), None)
    worker._waiting.append(None)  # The connection that is about to be served.
    yield worker
    worker.tmp.close()


def serve(monkeypatch: pytest.MonkeyPatch, after: list[Callable[[], Any]]) -> list[Any]:
    """Have gunicorn answer requests; after each something happens, whose result is that of its handling."""
    served: list[Any] = []

    def handle(_: ThreadWorker, connection: Connection) -> Any:
        connection.sock.setblocking(False)
        served.append(connection)
        return after[len(served) - 1]()

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    return served


def test_requests_that_follow_at_once_stay_in_their_thread(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def follow() -> bool:
        return connection.client.send(REQUEST) > 0

    def take() -> bool:
        return len(connection.sock.recv(1024)) > 0

    served = serve(monkeypatch, [follow, lambda: True, take])
    assert worker.handle(connection) is True
    assert len(served) == 3


def test_a_request_that_was_read_along_with_the_one_before_follows(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def take() -> bool:
        connection.read_ahead = b""
        return True

    connection.read_ahead = REQUEST
    served = serve(monkeypatch, [lambda: True, take])
    assert worker.handle(connection) is True
    assert len(served) == 2


@pytest.mark.parametrize("result", [False, HANDED_OVER])
def test_a_connection_that_has_ended_is_left(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection, result: object
) -> None:
    connection.client.send(REQUEST)
    served = serve(monkeypatch, [lambda: result])
    assert worker.handle(connection) is result
    assert len(served) == 1


def test_who_waits_for_a_thread_comes_first(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def wait() -> bool:
        worker._waiting.append(None)
        return True

    connection.client.send(REQUEST)
    served = serve(monkeypatch, [wait])
    assert worker.handle(connection) is True
    assert len(served) == 1


def test_a_process_that_stops_leaves_its_connections_to_the_poller(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    worker.alive = False
    connection.client.send(REQUEST)
    served = serve(monkeypatch, [lambda: True])
    assert worker.handle(connection) is True
    assert len(served) == 1


def test_the_arbiter_is_told_once_a_second(monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    told: list[None] = []
    now = [100.0]
    monkeypatch.setattr(ThreadWorker, "notify", lambda _: told.append(None))
    monkeypatch.setattr("backend.http.gunicorn_worker.time.monotonic", lambda: now[0])
    for second in (0.0, 0.5, 0.99, 1.0, 1.5, 2.5):
        now[0] = 100.0 + second
        worker.notify()
    assert len(told) == 3
