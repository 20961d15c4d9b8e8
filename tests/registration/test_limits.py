"""How many accounts may be made from one address (R-TRUST 5)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.auth.jobs import purge_registrations
from backend.extensions import db
from backend.redis.resilient import ResilientRedis
from config import Settings
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture(autouse=True)
def limited(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings: Settings = migrated_app.extensions["settings"]
    monkeypatch.setattr(settings, "ENABLE_RATE_LIMITING", True)
    monkeypatch.setattr(settings, "REGISTRATIONS_PER_HOUR", 3)
    return settings


def register(app: Flask, number: int, ip: str = "192.0.2.1", **fields: str) -> TestResponse:
    body = {"email": f"person{number}@example.org", "username": f"person{number}", "password": PASSWORD, **fields}
    return Api(app).post("/auth/register", body, environ_overrides={"REMOTE_ADDR": ip})


def execute(app: Flask, statement: str) -> None:
    with app.app_context():
        db.session.execute(text(statement))
        db.session.commit()
        db.session.remove()


def test_from_one_address_come_so_many_an_hour(app: Flask) -> None:
    assert [register(app, number).status_code for number in range(5)] == [201, 201, 201, 429, 429]
    refused = register(app, 3)
    assert refused.content_type == "application/problem+json"
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600
    assert register(app, 6, "192.0.2.2").status_code == 201
    execute(app, "UPDATE registrations SET created_at = created_at - interval '61 minutes'")
    assert register(app, 3).status_code == 201


def test_a_network_of_64_bits_is_one_address(app: Flask) -> None:
    answers = [register(app, number, f"2001:db8:0:7::{number:x}").status_code for number in range(4)]
    assert answers == [201, 201, 201, 429]
    assert register(app, 4, "2001:db8:0:8::1").status_code == 201


def test_what_made_no_account_does_not_count(app: Flask) -> None:
    for _ in range(5):
        assert register(app, 0, password="short").status_code == 422
    assert register(app, 0).status_code == 201
    for _ in range(5):
        assert register(app, 0).status_code == 409
    assert [register(app, number).status_code for number in (1, 2, 3)] == [201, 201, 429]


def test_of_many_at_once_no_more_pass(app: Flask) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda number: register(app, number).status_code, range(8)))
    assert statuses == {201: 3, 429: 5}
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM users")) == 3
        assert db.session.scalar(text("SELECT count(*) FROM organizations")) == 3
        assert db.session.scalar(text("SELECT count(*) FROM mails")) == 3


def test_without_redis_it_holds_as_well(app: Flask, no_redis: ResilientRedis) -> None:
    assert [register(app, number).status_code for number in range(4)] == [201, 201, 201, 429]


def test_deleting_an_account_makes_no_room(app: Flask) -> None:
    made = [register(app, number).json for number in range(3)]
    for session in made:
        deleted = Api(app, session=session).request("DELETE", "/profile", json={"password": PASSWORD})
        assert deleted.status_code == 204
    execute(app, "DELETE FROM users")
    assert register(app, 7).status_code == 429


def test_registrations_are_forgotten_after_a_day_and_hold_no_address(app: Flask) -> None:
    register(app, 0)
    register(app, 1, "192.0.2.2")
    with app.app_context():
        assert "192.0.2" not in str(db.session.execute(text("SELECT * FROM registrations")).all())
        db.session.execute(text("UPDATE registrations SET created_at = now() - interval '25 hours' WHERE id = 1"))
        db.session.commit()
        purge_registrations()
        assert db.session.scalar(text("SELECT array_agg(id) FROM registrations")) == [2]
        db.session.remove()


def test_where_nothing_is_limited_nothing_is_counted(app: Flask, limited: Settings) -> None:
    limited.ENABLE_RATE_LIMITING = False
    assert [register(app, number).status_code for number in range(5)] == [201] * 5
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM registrations")) == 0
        db.session.remove()


def test_the_usual_bound_is_ten_and_follows_the_limit_of_requests_upwards() -> None:
    def bound(**given: int) -> int:
        return Settings(_env_file=None, **given).registrations_per_hour  # type: ignore[arg-type]

    assert bound() == 10
    assert bound(RATE_LIMIT_PER_HOUR=10) == 10
    assert bound(RATE_LIMIT_PER_HOUR=5_000) == 50
    assert bound(RATE_LIMIT_PER_HOUR=5_000, REGISTRATIONS_PER_HOUR=1) == 5
