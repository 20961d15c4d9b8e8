"""How long a client may take, and how many connections its address may have."""

from __future__ import annotations

import ipaddress
import selectors
import socket
from collections.abc import Iterator
from time import monotonic

import pytest
from gunicorn.config import Config

from backend.http.connections import progress
from backend.http.connections.client_connection import ClientConnection, Phase
from backend.http.connections.client_limits import AddressCounts, ClientLimits
from backend.http.connections.client_socket import ClientSocket
from backend.http.connections.progress import Progress
from backend.http.gunicorn_worker import Worker

pytestmark = pytest.mark.unit
LIMITS = ClientLimits(connections=2, uncounted=(ipaddress.ip_network("10.0.0.0/8"),))


@pytest.fixture
def connection() -> Iterator[ClientConnection]:
    client, ours = socket.socketpair()
    sock = ClientSocket(ours, LIMITS.data_dir)
    yield ClientConnection(Config(), sock, "", "", LIMITS)
    sock.close()
    client.close()


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.HEAD, Phase.LINGERING])
def test_a_process_that_stops_does_not_wait_for_what_has_not_come(connection: ClientConnection, phase: Phase) -> None:
    now = monotonic()
    connection.enter(phase, 100)
    assert not connection.is_overdue(now + 50, None)
    assert connection.is_overdue(now + 50, now)


def test_a_body_that_goes_on_is_cut_when_the_process_has_stopped_for_long(connection: ClientConnection) -> None:
    now = monotonic()
    connection.enter(Phase.BODY, LIMITS.header_seconds)
    assert not connection.is_overdue(now + LIMITS.header_seconds / 2, now)
    assert connection.is_overdue(now + LIMITS.header_seconds * 2, now)


def test_a_transfer_stalls_by_the_span(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    transfer = Progress(10, 5_000)
    told = []
    # A burst does not last for the spans after it.
    for second, total in ((9, 0), (11, 90_000), (20, 90_000), (22, 90_000)):
        now[0] = 100.0 + second
        told.append(transfer.has_stalled(total))
    assert told == [False, False, False, True]


def test_connections_are_counted_by_address_and_by_customer() -> None:
    counts = AddressCounts(LIMITS)
    assert [counts.admit("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert counts.admit("192.0.2.2")
    assert not counts.admit("::ffff:192.0.2.1")
    counts.leave("::ffff:192.0.2.1")
    assert counts.admit("192.0.2.1")
    assert [counts.admit(f"2001:db8::{number}") for number in range(3)] == [True, True, False]


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", ""])
def test_proxies_are_not_counted(address: str) -> None:
    counts = AddressCounts(LIMITS)
    assert all(counts.admit(address) for _ in range(10))


def test_one_connection_too_many_is_refused_and_closed() -> None:
    worker = Worker(1, 1, [], None, 60, Config(), None)
    worker.limits = ClientLimits(connections=1, uncounted=())
    worker._addresses = AddressCounts(worker.limits)
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as worker.poller:
        clients = []
        for _ in range(2):
            clients.append(socket.create_connection(listener.getsockname(), timeout=10))
            worker.accept(listener)
        with clients[1].makefile("rb") as received:
            answer = received.read()
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nRetry-After: " in answer
        for client in clients:
            client.close()
        worker._on_event(next(iter(worker._polled)), listener)
        worker._on_event(next(iter(worker._polled)), listener)
    assert worker.nr_conns == 0
    worker.tmp.close()


def test_the_oldest_half_open_connection_makes_room() -> None:
    worker = Worker(1, 1, [], None, 60, Config(), None)
    worker._addresses = AddressCounts(worker.limits)
    worker.worker_connections = 3
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as worker.poller:
        clients = []
        for _ in range(5):
            clients.append(socket.create_connection(listener.getsockname(), timeout=10))
            worker.accept(listener)
        assert worker.nr_conns == 2
        assert clients[0].recv(10) == b""
        for client in clients:
            client.close()
        for conn in list(worker._polled):
            worker._on_event(conn, listener)
    assert worker.nr_conns == 0
    worker.tmp.close()
