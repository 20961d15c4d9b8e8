"""Logins over several gunicorn processes, with Redis and without (R-AUTH 2, 3)."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backend.auth.service import GRACE_PERIOD
from tests.resilience.conftest import Stack
from tests.support.api import PASSWORD

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]


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


def refresh(stack: Stack, session: dict[str, str]) -> int:
    [answer] = refresh_together(stack, session, 1)
    return answer.status_code


def refresh_within_the_grace(stack: Stack, name: str) -> tuple[dict[str, str], list[httpx.Response]]:
    """A login, and the answers to fifty refreshes of its one token, which all came before the grace was over.

    Fewer only where the machine is too busy for so many in that time.
    """
    for number in (50, 50, 25, 12, 6):
        first, started = login(stack, name), time.monotonic()
        answers = refresh_together(stack, first, number)
        if time.monotonic() - started < GRACE_PERIOD.total_seconds():
            return first, answers
    pytest.fail("this machine is too busy for six requests in the time of the grace")


def hold_a_family_together(stack: Stack, name: str) -> dict[str, str]:
    """Fifty refreshes of one token leave one family, which a reuse after the grace ends everywhere; its last tokens."""
    first, answers = refresh_within_the_grace(stack, name)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    successor: dict[str, str] = answers[-1].json()
    assert statuses(stack, successor, 40) == {200}
    time.sleep(GRACE_PERIOD.total_seconds())
    assert refresh(stack, first) == 401
    assert statuses(stack, successor, 40) == {401}
    assert refresh(stack, successor) == 401
    return successor


def test_of_fifty_refreshes_one_family_lives_on_until_a_late_reuse_ends_it_everywhere(stack: Stack) -> None:
    stack.client("tabs")
    kept = login(stack, "tabs")
    hold_a_family_together(stack, "tabs")
    assert statuses(stack, kept, 20) == {200}


def test_without_redis_logouts_and_refreshes_hold_all_the_same(stack: Stack) -> None:
    stack.client("offline-leaver")
    ended, kept = (login(stack, "offline-leaver") for _ in range(2))
    assert statuses(stack, ended, 20) == {200}
    server = stack.children("redis-server")[0]
    server.send_signal(signal.SIGSTOP)
    try:
        log_out(stack, ended)
        assert statuses(stack, ended, 20) == {401}
        assert statuses(stack, kept, 20) == {200}
        stolen = hold_a_family_together(stack, "offline-leaver")
    finally:
        server.kill()
    # Back again, also with what it may still have known of the logins.
    for over in (ended, stolen):
        assert statuses(stack, over, 20) == {401}
    assert statuses(stack, kept, 20) == {200}
