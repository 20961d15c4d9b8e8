"""Hashing a password takes 32 MiB, and anybody may ask for it: it is bounded (R-AUTH 6, R-TRUST 5)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from backend.auth import passwords
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


class Together:
    """Counts how many calls are under way at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            try:
                return function(*arguments, **named)
            finally:
                with self.lock:
                    self.now -= 1

        return call


@pytest.fixture
def full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes as the product makes them: elsewhere in the tests they are cheap."""
    monkeypatch.setattr(passwords, "generate_password_hash", generate_password_hash)


@pytest.fixture
def together(full_cost: None, monkeypatch: pytest.MonkeyPatch) -> Together:
    together = Together()
    monkeypatch.setattr(passwords, "generate_password_hash", together.watched(passwords.generate_password_hash))
    monkeypatch.setattr(passwords, "check_password_hash", together.watched(passwords.check_password_hash))
    return together


def test_a_hash_costs_32_mib_and_its_check_as_much(full_cost: None) -> None:
    made = passwords.hash_password(PASSWORD)
    assert made.startswith("scrypt:32768:8:1$")  # 128 bytes x 32768 x 8.
    assert passwords.password_matches(made, PASSWORD)
    assert not passwords.password_matches(made, PASSWORD.upper())


def test_two_passwords_at_a_time_are_hashed_by_a_process(
    app: Flask, together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 60.0)

    def ask(place: int) -> int:
        body = {"email": f"p{place}@example.org", "username": f"person{place}", "password": PASSWORD}
        registered = Api(app).post("/auth/register", body).status_code
        logged_in = Api(app).post("/auth/login", {"login": f"nobody{place}", "password": PASSWORD})
        return registered if logged_in.status_code in (401, 429) else logged_in.status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {201}
    assert together.most == 2


def test_who_waits_too_long_for_a_turn_is_told_to_come_again_and_nothing_is_left(
    ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.05)
    body = {"email": "new@example.org", "username": "new", "password": PASSWORD}
    with passwords._slot(), passwords._slot():
        refused = [
            Api(ada.app).post("/auth/register", body),
            *(Api(ada.app).post("/auth/login", {"login": "ada", "password": PASSWORD}) for _ in range(7)),
            ada.post("/profile/password", {"current_password": PASSWORD, "new_password": f"{PASSWORD} 2"}),
        ]
    for answer in refused:
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) >= 1
    # None of it counted as a wrong password, and nothing was written.
    assert Api(ada.app).post("/auth/login", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert Api(ada.app).post("/auth/register", body).status_code == 201
