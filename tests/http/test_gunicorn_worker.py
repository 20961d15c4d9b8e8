"""gunicorn's worker: how long a thread stays with a connection."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from backend.http.connections.client_connection import ClientConnection
from backend.http.connections.client_limits import ClientLimits
from backend.http.connections.client_socket import ClientSocket
from backend.http.gunicorn_worker import HANDED_OVER, Worker

pytestmark = pytest.mark.unit
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Connection:
    """A connection, and how often a request follows the one before on it."""

    def __init__(self) -> None:
        self.client, ours = socket.socketpair()
        self.limits = ClientLimits()
        self.sock = ClientSocket(ours, self.limits.data_dir)
        self.conn = ClientConnection(Config(), self.sock, "", "", self.limits)
        self.conn.init()

    def read_request(self) -> None:
        """Do what gunicorn's parser does."""
        next(self.conn.parser)


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

    def handle(_: ThreadWorker, conn: ClientConnection) -> Any:
        served.append(conn)
        return after[len(served) - 1]()

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    return served


def test_requests_that_follow_at_once_stay_in_their_thread(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def follow() -> bool:
        return connection.client.send(REQUEST) > 0

    def take() -> bool:
        connection.read_request()
        return True

    served = serve(monkeypatch, [follow, lambda: True, take])
    assert worker.handle(connection.conn) is True
    assert len(served) == 3


def test_a_request_that_was_read_along_with_the_one_before_follows(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def take() -> bool:
        connection.read_request()
        return True

    connection.client.send(REQUEST + REQUEST)
    assert connection.sock.collect()
    served = serve(monkeypatch, [take, take])
    assert worker.handle(connection.conn) is True
    assert len(served) == 2


@pytest.mark.parametrize("result", [False, HANDED_OVER])
def test_a_connection_that_has_ended_is_left(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection, result: object
) -> None:
    connection.client.send(REQUEST)
    served = serve(monkeypatch, [lambda: result])
    assert worker.handle(connection.conn) is result
    assert len(served) == 1


def test_who_waits_for_a_thread_comes_first(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def wait() -> bool:
        worker._waiting.append(None)
        return True

    connection.client.send(REQUEST)
    served = serve(monkeypatch, [wait])
    assert worker.handle(connection.conn) is True
    assert len(served) == 1


def test_a_process_that_stops_leaves_its_connections_to_the_poller(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    worker.alive = False
    connection.client.send(REQUEST)
    served = serve(monkeypatch, [lambda: True])
    assert worker.handle(connection.conn) is True
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


def test_half_a_request_does_not_hold_its_thread(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, connection: Connection
) -> None:
    def follow() -> bool:
        return connection.client.send(REQUEST[:5]) > 0

    served = serve(monkeypatch, [follow])
    assert worker.handle(connection.conn) is True
    assert len(served) == 1
