"""The breaker of an endpoint: shared through Redis, as workers fork for each message."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from backend.ai.credentials import Credentials
from backend.ai.llm import breaker
from backend.ai.llm.breaker import FAULTS, EndpointBreaker
from backend.ai.llm.faults import EndpointFault
from backend.redis.client import redis_client
from backend.redis.resilient import ResilientRedis

pytestmark = [pytest.mark.integration, pytest.mark.requires_redis, pytest.mark.requires_db]
ENDPOINT = Credentials("https://llm.example.org/v1", "small", "sk-a-secret-key")


def made(model: str = "small", owner: str = "server") -> EndpointBreaker:
    """As another process has it."""
    return EndpointBreaker(Credentials(ENDPOINT.base_url, model, None), owner)


def is_open(one: EndpointBreaker, probe_seconds: float = 60) -> bool:
    try:
        one.enter(probe_seconds)
    except EndpointFault:
        return True
    return False


def fail(times: int = FAULTS) -> None:
    for _ in range(times):
        made().failed()


def test_it_opens_after_three_faults_in_a_row_for_everybody(context: Flask) -> None:
    fail(FAULTS - 1)
    assert not is_open(made())
    fail(1)
    with pytest.raises(EndpointFault, match=r"failed 3 times in a row, and is left alone for another 30 seconds\."):
        made().enter(60)


def test_faults_with_an_answer_between_them_do_not_open_it(context: Flask) -> None:
    for _ in range(4):
        fail(FAULTS - 1)
        made().answered()
    assert not is_open(made())


def test_nobodys_faults_are_anothers(context: Flask) -> None:
    fail()
    assert not is_open(made(model="large"))
    assert not is_open(made(owner="user 7"))


def test_then_one_probes_and_closes_it_or_keeps_it_open(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0)
    fail()
    assert [is_open(made()) for _ in range(3)] == [False, True, True]
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 30)
    fail(1)
    assert is_open(made())
    made().answered()
    assert [is_open(made()) for _ in range(3)] == [False, False, False]


def test_of_many_at_once_one_probes(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0)
    fail()

    def enter(_: int) -> bool:
        with context.app_context():
            return is_open(made())

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(enter, range(10))) == [False, *[True] * 9]


def test_a_probe_that_died_does_not_keep_it_open_for_ever(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0)
    fail()
    assert not is_open(made(), probe_seconds=0)
    assert not is_open(made())


def test_what_a_fork_has_found_out_the_next_one_knows(context: Flask) -> None:
    for _ in range(FAULTS):
        child = multiprocessing.get_context("fork").Process(target=fail, args=(1,))
        child.start()
        child.join()
        assert child.exitcode == 0
    assert is_open(made())


def test_a_row_of_faults_is_forgotten_in_time_and_holds_no_address(context: Flask) -> None:
    fail(1)
    [key] = redis_client().keys("fuze:*:llm-breaker:*")
    assert 0 < redis_client().ttl(key) <= breaker.FORGET_SECONDS
    assert b"example" not in key


def test_without_redis_the_endpoint_is_asked(context: Flask, no_redis: ResilientRedis) -> None:
    fail(5)
    assert not is_open(made())
    made().answered()
