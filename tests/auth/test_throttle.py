"""Guessing passwords gets slower, for accounts and for addresses (R-AUTH 7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from backend.auth import throttle
from backend.errors import TooManyRequests
from backend.extensions import redis_client
from tests.api import PASSWORD, Api
from tests.factories import unreachable_gate

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture(autouse=True)
def no_counts_of_other_tests() -> None:
    throttle._memory.counts.clear()


@pytest.fixture(params=["redis", "memory"])
def counted(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    """In Redis, and in the process while Redis is away."""
    if request.param == "memory":
        monkeypatch.setitem(app.extensions, "redis_gate", unreachable_gate())
    return str(request.param)


def try_login(api: Api, password: str, login: str = "ada", address: str = "192.0.2.1") -> Any:
    return api.post("/auth/login", {"login": login, "password": password}, environ_base={"REMOTE_ADDR": address})


def test_five_failures_are_free_and_then_an_account_has_to_wait(ada: Api, counted: str) -> None:
    for place in range(5):
        assert try_login(ada, "wrong password", address=f"192.0.2.{place}").status_code == 401
    refused = try_login(ada, PASSWORD, login="ADA@example.org", address="192.0.2.99")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json["status"] == 429


def test_an_address_has_to_wait_whatever_accounts_it_tries(ada: Api, counted: str) -> None:
    for place in range(5):
        assert try_login(ada, "wrong password", login=f"nobody{place}").status_code == 401
    assert try_login(ada, PASSWORD).status_code == 429
    assert try_login(ada, PASSWORD, address="192.0.2.2").status_code == 200


def test_a_right_password_clears_the_account(ada: Api, counted: str) -> None:
    for _ in range(3):
        for place in range(3):
            assert try_login(ada, "wrong password", address=f"192.0.2.{place}").status_code == 401
        assert try_login(ada, PASSWORD, address="198.51.100.7").status_code == 200
        throttle._memory.counts = {key: one for key, one in throttle._memory.counts.items() if "account" in key}
        with ada.app.app_context():
            if counted == "redis":
                for key in redis_client().scan_iter("fuze:tries:address:*"):
                    redis_client().delete(key)


def test_many_tries_at_once_are_no_way_around(ada: Api, context: Flask) -> None:
    def attempt(_: int) -> bool:
        with ada.app.app_context():
            try:
                throttle.begin_attempt("user 1", "192.0.2.1")
            except TooManyRequests:
                return False
            return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(50))) == 5


def test_each_failure_doubles_the_wait_up_to_a_bound(context: Flask) -> None:
    waits = []
    for _ in range(18):
        throttle.begin_attempt("user 1", "192.0.2.1")
        try:
            throttle.begin_attempt("user 1", "192.0.2.1")
        except TooManyRequests as refused:
            waits.append(refused.retry_after)
        for key in redis_client().scan_iter("fuze:tries:*:wait"):
            redis_client().delete(key)
    # Until the fifth, the second of each pair is a try as well.
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == throttle.LONGEST_WAIT_SECONDS
