"""Changing the own account: name, address, password."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.actor import Actor
from backend.auth.models import User
from backend.auth.preferences import time_zone_of
from backend.extensions import db
from backend.text.account_keys import account_key
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.logged import logged
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
NEW = "entirely different words"


def login(app: Flask, name: str, password: str = PASSWORD) -> Any:
    return Api(app).post("/auth/login", {"login": name, "password": password})


def events(person: Api) -> list[str]:
    return [event["kind"] for event in person.get("/profile/security-events").json["items"] if event["kind"] != "login"]


def test_a_new_name_logs_in_and_the_old_one_is_free(ada: Api, bob: Api) -> None:
    answer = ada.patch("/profile", {"username": "Countess"})
    assert answer.status_code == 200
    assert answer.json == ada.get("/profile").json
    assert answer.json["username"] == "Countess"
    assert login(ada.app, "COUNTESS").status_code == 200
    assert login(ada.app, "ada").status_code == 401
    assert bob.patch("/profile", {"username": "ada"}).status_code == 200
    assert events(ada) == ["username_changed"]


def test_a_new_address_asks_for_the_password(ada: Api) -> None:
    body = {"email": "new@example.org"}
    assert field_errors(ada.patch("/profile", body)) == {"body.current_password": "wrong_password"}
    wrong = ada.patch("/profile", {**body, "current_password": "wrong"})
    assert field_errors(wrong) == {"body.current_password": "wrong_password"}
    assert ada.get("/profile").json["email"] == "ada@example.org"
    right = ada.patch("/profile", {**body, "current_password": PASSWORD})
    assert right.json["email"] == "new@example.org"
    assert login(ada.app, "NEW@example.org").status_code == 200
    assert events(ada) == ["email_changed"]


@pytest.mark.parametrize("body", [{"username": "BOB"}, {"email": "Bob@Example.org", "current_password": PASSWORD}])
def test_what_is_taken_in_any_case_is_refused(ada: Api, bob: Api, body: dict[str, str]) -> None:
    assert ada.patch("/profile", body).status_code == 409
    assert ada.get("/profile").json["username"] == "ada"


def test_the_own_name_may_change_its_case(ada: Api) -> None:
    assert ada.patch("/profile", {"username": "ADA"}).json["username"] == "ADA"


@pytest.mark.parametrize("body", [{}, {"username": "ada"}, {"email": "ada@example.org"}])
def test_what_does_not_change_leaves_no_event(ada: Api, body: dict[str, str]) -> None:
    assert ada.patch("/profile", body).status_code == 200
    assert events(ada) == []


@pytest.mark.parametrize(
    "body", [{"username": None}, {"username": "a b"}, {"email": "no"}, {"role": "admin"}, {"id": 1}]
)
def test_what_may_not_be_is_refused(ada: Api, body: dict[str, Any]) -> None:
    assert set(field_errors(ada.patch("/profile", body))) == {f"body.{next(iter(body))}"}


def test_time_zone_and_first_day_of_the_week_are_the_persons_own(ada: Api, bob: Api, context: Flask) -> None:
    assert (ada.get("/profile").json["time_zone"], ada.get("/profile").json["week_start"]) == ("UTC", "monday")
    changed = ada.patch("/profile", {"time_zone": "Asia/Kathmandu", "week_start": "sunday"}).json
    assert (changed["time_zone"], changed["week_start"]) == ("Asia/Kathmandu", "sunday")
    assert ada.patch("/profile", {"username": "Countess"}).json["time_zone"] == "Asia/Kathmandu"
    assert ada.get("/profile").json == {**changed, "username": "Countess"}
    assert bob.get("/profile").json["time_zone"] == "UTC"
    assert time_zone_of(Actor(ada.user_id, ada.organization_id, "owner")).key == "Asia/Kathmandu"
    assert time_zone_of(Actor(bob.user_id, bob.organization_id, "owner")).key == "UTC"


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "europe/berlin", "", "../etc/passwd", "localtime", "Factory", "+02:00"]
)
def test_what_is_no_time_zone_is_refused(ada: Api, name: str) -> None:
    assert set(field_errors(ada.patch("/profile", {"time_zone": name}))) == {"body.time_zone"}


def test_a_week_begins_on_one_of_three_days(ada: Api) -> None:
    assert set(field_errors(ada.patch("/profile", {"week_start": "friday"}))) == {"body.week_start"}


def test_a_time_zone_that_is_known_no_more_counts_as_utc(ada: Api, context: Flask) -> None:
    db.session.execute(text("UPDATE users SET time_zone = 'Europe/Atlantis'"))
    assert time_zone_of(Actor(ada.user_id, ada.organization_id, "owner")).key == "UTC"


def test_of_many_who_want_one_name_one_gets_it(app: Flask, person: Callable[..., Api]) -> None:
    people = [person() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda one: one.patch("/profile", {"username": "wanted"}).status_code, people))
    assert sorted(statuses) == [200, *[409] * 5]


def test_a_new_address_is_not_verified_and_is_mailed_a_link(ada: Api, context: Flask) -> None:
    verified = "UPDATE users SET email_verified_at = now()"
    db.session.execute(text(verified))
    db.session.commit()
    ada.patch("/profile", {"username": "other"})
    assert db.session.scalar(text("SELECT email_verified_at FROM users")) is not None
    assert db.session.scalar(text("SELECT count(*) FROM mails")) == 0
    for number in range(5):
        body = {"email": f"{number}@example.org", "current_password": PASSWORD}
        assert ada.patch("/profile", body).status_code == 200
    db.session.rollback()
    assert db.session.scalar(text("SELECT email_verified_at FROM users")) is None
    mailed = db.session.scalars(text("SELECT email FROM mail_tokens ORDER BY id")).all()
    assert mailed == ["0@example.org", "1@example.org", "2@example.org"]


def test_a_new_password_ends_every_other_session_and_only_those(ada: Api, bob: Api) -> None:
    other = Api(ada.app, session=login(ada.app, "ada").json)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert ada.post("/profile/password", body).status_code == 204
    assert ada.get("/profile").status_code == 200
    assert bob.get("/profile").status_code == 200
    assert other.get("/profile").status_code == 401
    assert other.post("/auth/refresh", {"refresh_token": other.session["refresh_token"]}).status_code == 401
    assert login(ada.app, "ada").status_code == 401
    assert login(ada.app, "ada", NEW).status_code == 200
    assert "password_changed" in events(ada)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"current_password": "wrong", "new_password": NEW}, {"body.current_password": "wrong_password"}),
        ({"current_password": PASSWORD, "new_password": "password123"}, {"body.new_password": "password"}),
        ({"current_password": PASSWORD, "new_password": "ADA@example.org"}, {"body.new_password": "password"}),
        ({"current_password": PASSWORD, "new_password": "short"}, {"body.new_password": "too_short"}),
        ({"new_password": NEW}, {"body.current_password": "missing"}),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(ada: Api, body: dict[str, str], errors: dict[str, str]) -> None:
    other = Api(ada.app, session=login(ada.app, "ada").json)
    assert field_errors(ada.post("/profile/password", body)) == errors
    assert other.get("/profile").status_code == 200
    assert login(ada.app, "ada").status_code == 200


def test_of_two_changes_with_one_old_password_one_wins(ada: Api) -> None:
    def change(number: int) -> int:
        body = {"current_password": PASSWORD, "new_password": f"{NEW} {number}"}
        return ada.post("/profile/password", body).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(change, range(4)))
    assert sorted(statuses) == [204, 422, 422, 422]


def test_a_new_password_ends_the_links_to_reset_it(ada: Api, context: Flask) -> None:
    ada.post("/auth/password/forgot", {"email": "ada@example.org"})
    ada.post("/profile/password", {"current_password": PASSWORD, "new_password": NEW})
    left = "SELECT count(*) FROM mail_tokens WHERE purpose = 'reset' AND used_at IS NULL"
    assert db.session.scalar(text("SELECT count(*) FROM mail_tokens WHERE purpose = 'reset'")) == 1
    assert db.session.scalar(text(left)) == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/profile", {"email": "x@example.org", "current_password": "wrong"}),
        ("POST", "/profile/password", {"current_password": "wrong", "new_password": NEW}),
        ("DELETE", "/profile", {"password": "wrong"}),
    ],
)
def test_guessing_the_password_with_a_session_gets_slower(ada: Api, method: str, path: str, body: Any) -> None:
    """R-AUTH 7."""
    answers = [ada.request(method, path, json=body) for _ in range(8)]
    assert [answer.status_code for answer in answers[:5]] == [422] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_no_password_is_logged_or_answered(ada: Api) -> None:
    """R-LOG 5."""
    with logged() as lines:
        answers = [
            ada.patch("/profile", {"email": "x@example.org", "current_password": "wrong-but-secret"}),
            ada.patch("/profile", {"email": "x@example.org", "current_password": PASSWORD}),
            ada.post("/profile/password", {"current_password": "wrong-but-secret", "new_password": NEW}),
            ada.post("/profile/password", {"current_password": PASSWORD, "new_password": NEW}),
            ada.get("/profile/security-events"),
        ]
    told = "".join(lines) + "".join(answer.get_data(as_text=True) for answer in answers)
    assert lines
    for secret in (PASSWORD, NEW, "wrong-but-secret", "scrypt"):
        assert secret not in told


def test_changing_takes_few_statements(ada: Api, sql: SqlCounter) -> None:
    with sql.at_most(6):
        ada.patch("/profile", {"username": "other"})
    # What still opens the account is counted, and told by mail.
    with sql.at_most(9):
        ada.post("/profile/password", {"current_password": PASSWORD, "new_password": NEW})
    with ada.app.app_context():
        assert db.session.get_one(User, ada.user_id).username_key == account_key("other")
