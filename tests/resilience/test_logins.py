"""Logins over several gunicorn processes, with Redis and without (R-AUTH 2, 3)."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.resilience.conftest import Stack

pytestmark = [pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
PASSWORD = "correct horse battery"  # As the stack's clients register.


def login(stack: Stack, name: str) -> dict[str, str]:
    answer = httpx.post(
        f"{stack.url}/api/v1/auth/login", json={"login": name, "password": PASSWORD}, timeout=30, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    session: dict[str, str] = answer.json()
    return session


def statuses(stack: Stack, session: dict[str, str], times: int) -> set[int]:
    """Of requests over connections of their own, so that every process gets some."""
    headers = {"Authorization": f"Bearer {session['access_token']}"}

    def ask(_: int) -> int:
        url = f"{stack.url}/api/v1/profile"
        return httpx.get(url, headers=headers, timeout=30, trust_env=False).status_code

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(ask, range(times)))


def log_out(stack: Stack, session: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    answer = httpx.post(f"{stack.url}/api/v1/auth/logout", headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == 204


def refresh_together(stack: Stack, session: dict[str, str], times: int) -> list[httpx.Response]:
    def refresh(_: int) -> httpx.Response:
        body = {"refresh_token": session["refresh_token"]}
        return httpx.post(f"{stack.url}/api/v1/auth/refresh", json=body, timeout=30, trust_env=False)

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(refresh, range(times)))


def test_every_process_sees_a_logout_with_the_next_request(stack: Stack) -> None:
    stack.client("leaver")
    session = login(stack, "leaver")
    assert statuses(stack, session, 40) == {200}
    log_out(stack, session)
    assert statuses(stack, session, 40) == {401}


def test_of_fifty_refreshes_over_all_processes_one_family_lives_on(stack: Stack) -> None:
    stack.client("tabs")
    answers = refresh_together(stack, login(stack, "tabs"), 50)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_without_redis_logouts_and_refreshes_hold_all_the_same(stack: Stack) -> None:
    stack.client("offline-leaver")
    ended, kept, tabs = (login(stack, "offline-leaver") for _ in range(3))
    assert statuses(stack, ended, 20) == {200}
    server = stack.children("redis-server")[0]
    server.send_signal(signal.SIGSTOP)
    try:
        log_out(stack, ended)
        assert statuses(stack, ended, 20) == {401}
        assert statuses(stack, kept, 20) == {200}
        answers = refresh_together(stack, tabs, 20)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    finally:
        server.kill()
    # Back again, also with what it may still have known of the login.
    assert statuses(stack, ended, 20) == {401}
    assert statuses(stack, kept, 20) == {200}
