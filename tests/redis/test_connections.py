"""Connections to Redis that requests ask over: used again as they are, and never twice at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.exceptions import ResponseError

from backend.redis import connections as redis_connections
from backend.redis.connections import RedisConnections

pytestmark = [pytest.mark.integration, pytest.mark.requires_redis]


@pytest.fixture
def client(servers: dict[str, str]) -> redis.Redis:
    return redis.Redis.from_url(servers["REDIS_URL"], socket_timeout=2)


@pytest.fixture
def connections(client: redis.Redis) -> RedisConnections:
    return RedisConnections(client.connection_pool)


def name_of(connections: RedisConnections) -> int:
    [found] = connections.exchange([("CLIENT", "ID")])
    return int(found)


def test_what_one_has_used_the_next_uses(connections: RedisConnections) -> None:
    assert name_of(connections) == name_of(connections)
    assert connections.exchange([("PING",), ("ECHO", "é"), ("ECHO", 7)]) == [b"PONG", "é".encode(), b"7"]


def test_those_who_ask_at_once_have_one_each(connections: RedisConnections) -> None:
    start = threading.Barrier(4)

    def ask(number: int) -> tuple[int, list[bytes]]:
        start.wait()
        found = [connections.exchange([("CLIENT", "ID"), ("ECHO", f"{number}/{turn}")]) for turn in range(200)]
        return number, [echo for _, echo in found]

    with ThreadPoolExecutor(4) as pool:
        for number, echoes in pool.map(ask, range(4)):
            assert echoes == [f"{number}/{turn}".encode() for turn in range(200)]


def test_there_are_no_more_than_the_pool_would_have(servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    pool = redis.ConnectionPool.from_url(servers["REDIS_URL"], socket_timeout=2, max_connections=2)
    connections = RedisConnections(pool)
    with ThreadPoolExecutor(8) as threads:
        names = [threads.submit(connections.exchange, [("CLIENT", "ID"), ("DEBUG", "SLEEP", 0.02)]) for _ in range(40)]
        assert 1 <= len({one.result()[0] for one in names}) <= 2
    monkeypatch.setattr(redis_connections, "MAX_WAIT_SECONDS", 0.05)
    taken = [connections._take() for _ in range(2)]
    with pytest.raises(redis.ConnectionError, match="in use"):
        connections.exchange([("PING",)])
    connections._give_back(taken[0])
    assert connections.exchange([("PING",)]) == [b"PONG"]


def test_a_command_that_fails_is_an_answer(connections: RedisConnections) -> None:
    before = name_of(connections)
    wrong, right = connections.exchange([("NOSUCHCOMMAND",), ("PING",)])
    assert isinstance(wrong, ResponseError)
    assert right == b"PONG"
    assert name_of(connections) == before


def test_one_that_redis_has_closed_long_ago_is_noticed(
    connections: RedisConnections, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = name_of(connections)
    monkeypatch.setattr(redis_connections, "CHECK_AFTER_SECONDS", -1)
    client.client_kill_filter(_id=str(before))
    assert name_of(connections) != before


def test_after_a_failure_all_are_made_anew(connections: RedisConnections, client: redis.Redis) -> None:
    before = name_of(connections)
    client.client_kill_filter(_id=str(before))
    with pytest.raises(redis.RedisError):
        name_of(connections)
    after = name_of(connections)
    assert after != before
    assert name_of(connections) == after


def test_what_was_not_read_is_no_answer_to_the_next(
    connections: RedisConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_of(connections)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    given_back: list[bool] = []
    give_back = connections._give_back
    with monkeypatch.context() as patch:
        patch.setattr(redis_connections, "_read_reply", interrupt)
        patch.setattr(
            connections,
            "_give_back",
            lambda connection: (given_back.append(connection.is_connected), give_back(connection)),
        )
        with pytest.raises(KeyboardInterrupt):
            connections.exchange([("ECHO", "old")])
    # Cut off before another thread could take it.
    assert given_back == [False]
    assert connections.exchange([("ECHO", "new")]) == [b"new"]


def test_a_fork_has_its_own(connections: RedisConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_of(connections)
    process = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process + 1)
    assert name_of(connections) != before
