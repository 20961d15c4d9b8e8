"""Guessing passwords gets slower, for accounts and for addresses (R-AUTH 7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from backend.auth import login_throttle, passwords, service
from backend.errors import TooManyRequests, Unavailable
from backend.redis.client import redis_client
from tests.support.api import PASSWORD, Api
from tests.support.factories import unreachable_gate

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture(autouse=True)
def no_counts_of_other_tests() -> None:
    login_throttle._memory.counts.clear()


@pytest.fixture(params=["redis", "memory"])
def counted(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    """In Redis, and in the process while Redis is away."""
    if request.param == "memory":
        monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
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


def test_thirty_failures_are_free_and_then_an_address_has_to_wait_whatever_accounts_it_tries(
    ada: Api, counted: str, quick: None
) -> None:
    for place in range(30):
        assert try_login(ada, "wrong password", login=f"nobody{place}").status_code == 401
    assert try_login(ada, PASSWORD).status_code == 429
    assert try_login(ada, PASSWORD, address="192.0.2.2").status_code == 200


def test_a_right_password_clears_the_account(ada: Api, counted: str, quick: None) -> None:
    for _ in range(3):
        for place in range(4):
            assert try_login(Api(ada.app), "wrong password", address=f"192.0.2.{place}").status_code == 401
        assert try_login(Api(ada.app), PASSWORD, address="198.51.100.7").status_code == 200
        ada.post("/auth/logout-all")


def test_a_right_password_does_not_clear_the_address(ada: Api, counted: str, quick: None) -> None:
    """Or whoever has an account would try others' in between."""
    for place in range(30):
        assert try_login(Api(ada.app), "wrong password", login=f"nobody{place}").status_code == 401
        if place % 3 == 0:
            assert try_login(Api(ada.app), PASSWORD).status_code == 200
    assert try_login(Api(ada.app), "wrong password", login="nobody").status_code == 429


def test_right_passwords_never_count(ada: Api, bob: Api, counted: str, quick: None) -> None:
    for place in range(70):
        login = ("ada", "bob")[place % 2]
        assert try_login(Api(ada.app), PASSWORD, login=login).status_code == 200
    assert [try_login(Api(ada.app), "wrong password").status_code for _ in range(6)] == [401] * 5 + [429]


def test_failures_of_more_than_a_quarter_of_an_hour_ago_do_not_count(
    ada: Api, context: Flask, counted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "WINDOW_SECONDS", 0.3)
    for _ in range(4):
        fail("user 1")
    time.sleep(0.35)
    for _ in range(4):
        fail("user 1")
    login_throttle.begin_attempt("user 1", "192.0.2.1")


def fail(account: str, address: str = "192.0.2.1") -> None:
    with login_throttle.begin_attempt(account, address) as attempt:
        attempt.failed()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the machine that runs the tests takes."""
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 60.0)
    monkeypatch.setattr(login_throttle, "LONGEST_TURN_SECONDS", 60.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared without hashing, for tests of hundreds of logins."""
    right = {True: PASSWORD, False: None}
    monkeypatch.setattr(service, "password_matches", lambda hashed, given: right[hashed is not None] == given)


def test_twelve_people_behind_one_address_log_in_at_the_same_moment(
    person: Callable[..., Api], patient: None, counted: str
) -> None:
    people = [person(f"person{place}") for place in range(12)]

    def log_in(api: Api) -> int:
        return try_login(Api(api.app), PASSWORD, login=api.session["user"]["username"]).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(log_in, people)) == {200}


def test_more_right_passwords_at_once_than_may_fail_wait_for_each_other(ada: Api, patient: None, counted: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: try_login(Api(ada.app), PASSWORD).status_code, range(12)))
    assert set(answers) == {200}


def test_many_wrong_passwords_at_once_are_no_way_around(ada: Api, patient: None, quick: None, counted: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: try_login(Api(ada.app), "wrong password").status_code, range(50)))
    assert (statuses.count(401), statuses.count(429)) == (5, 45)


def test_many_tries_at_once_are_no_way_around(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them ends, and each that waits for them waits for a moment only."""
    monkeypatch.setattr(login_throttle, "LONGEST_TURN_SECONDS", 0.2)

    def attempt(_: int) -> bool:
        with ada.app.app_context():
            try:
                login_throttle.begin_attempt("user 1", "192.0.2.1")
            except TooManyRequests as refused:
                waits.append(refused.retry_after)
                return False
            return True

    waits: list[int] = []
    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(50))) == 5
    assert waits == [1] * 45


def test_a_try_that_died_with_its_process_counts_for_a_while_only(
    context: Flask, monkeypatch: pytest.MonkeyPatch, counted: str
) -> None:
    monkeypatch.setattr(login_throttle, "LEASE_SECONDS", 0.4)
    for _ in range(5):
        login_throttle.begin_attempt("user 1", "192.0.2.1")
    # The sixth waits for them, and they are given up meanwhile.
    login_throttle.begin_attempt("user 1", "192.0.2.1")


def test_a_try_that_ends_without_an_answer_is_none(context: Flask, counted: str) -> None:
    for _ in range(12):
        with pytest.raises(Unavailable), login_throttle.begin_attempt("user 1", "192.0.2.1"):
            raise Unavailable
    fail("user 1")


def test_each_failure_doubles_the_wait_up_to_a_bound(context: Flask) -> None:
    waits = []
    for place in range(18):
        fail("user 1")
        try:
            login_throttle.begin_attempt("user 1", "192.0.2.1").__exit__(None, None, None)
        except TooManyRequests as refused:
            waits.append(refused.retry_after)
            assert place >= 4
        for key in redis_client().scan_iter("fuze:tries:*:wait"):
            redis_client().delete(key)
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == login_throttle.LONGEST_WAIT_SECONDS


def test_after_the_limit_one_try_follows_each_wait(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "LONGEST_TURN_SECONDS", 0.1)
    for _ in range(5):
        fail("user 1")
    for key in redis_client().scan_iter("fuze:tries:*:wait"):
        redis_client().delete(key)
    login_throttle.begin_attempt("user 1", "192.0.2.1")
    with pytest.raises(TooManyRequests):
        login_throttle.begin_attempt("user 1", "192.0.2.1")


def test_a_failure_counts_although_redis_went_away_meanwhile(
    context: Flask, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        attempt = login_throttle.begin_attempt("user 1", "192.0.2.1")
        with monkeypatch.context() as patch, attempt:
            patch.setitem(app.extensions, "resilient_redis", unreachable_gate())
            attempt.failed()
    monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
    with pytest.raises(TooManyRequests):
        login_throttle.begin_attempt("user 1", "192.0.2.1")


def test_no_name_and_no_address_lies_in_redis(ada: Api, quick: None) -> None:
    try_login(ada, "wrong password", login="mallory")
    with ada.app.app_context():
        keys = b" ".join(redis_client().scan_iter("fuze:tries:*"))
    assert keys.count(b"fuze:tries:") == 2
    assert b"mallory" not in keys
    assert b"192.0.2" not in keys
