"""Administrators list, disable and enable people; the operator's commands do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from backend.admin.service import set_admin
from backend.auth.models import User
from backend.cli import people
from backend.extensions import db
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture
def admin(person: Callable[..., Api]) -> Api:
    """A client who administers the server."""
    return person("root", admin=True)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [item["username"] for item in answer.json["items"]]


def test_only_administrators_may(ada: Api, bob: Api) -> None:
    assert ada.get("/admin/users").status_code == 403
    for user_id in (bob.user_id, ada.user_id, 10**9):
        for change in ("disable", "enable"):
            assert ada.post(f"/admin/users/{user_id}/{change}").status_code == 403
    assert bob.get("/profile").status_code == 200


def test_people_are_listed_newest_first_without_secrets(admin: Api, ada: Api, sql: SqlCounter) -> None:
    with sql.at_most(3):
        answer = admin.get("/admin/users")
    assert names(answer) == ["ada", "root"]
    assert set(answer.json["items"][0]) == {"id", "email", "username", "role", "created_at", "disabled_at"}
    assert answer.json["total"] == 2


def test_the_list_is_filtered(admin: Api, ada: Api, bob: Api, person: Callable[..., Api]) -> None:
    person("under_score")
    admin.post(f"/admin/users/{bob.user_id}/disable")
    assert names(admin.get("/admin/users", q="AD")) == ["ada"]
    assert names(admin.get("/admin/users", q="bob@EXAMPLE")) == ["bob"]
    assert names(admin.get("/admin/users", q="r_s")) == ["under_score"]
    assert names(admin.get("/admin/users", q="%")) == []
    assert names(admin.get("/admin/users", role="admin")) == ["root"]
    assert names(admin.get("/admin/users", disabled="true")) == ["bob"]
    assert names(admin.get("/admin/users", disabled="false", sort="created_at", page_size=2)) == ["root", "ada"]
    assert set(field_errors(admin.get("/admin/users", role="owner"))) == {"query.role"}


def test_deleted_accounts_are_not_among_them(admin: Api, ada: Api) -> None:
    assert ada.request("DELETE", "/profile", json={"password": "correct horse battery"}).status_code == 204
    assert names(admin.get("/admin/users")) == ["root"]
    assert admin.post(f"/admin/users/{ada.user_id}/enable").status_code == 404


def test_disabling_ends_every_session_at_once(admin: Api, ada: Api) -> None:
    script = Api(ada.app, token=ada.post("/auth/tokens", {"name": "script", "scopes": ["*:read"]}).json["token"])
    assert script.get("/profile").status_code == 200
    answer = admin.post(f"/admin/users/{ada.user_id}/disable")
    assert answer.status_code == 200
    assert answer.json["disabled_at"].endswith("Z")
    assert ada.get("/profile").status_code == script.get("/profile").status_code == 401
    assert ada.post("/auth/refresh", {"refresh_token": ada.session["refresh_token"]}).status_code == 401
    again = admin.post(f"/admin/users/{ada.user_id}/disable")
    assert again.json["disabled_at"] == answer.json["disabled_at"]
    enabled = admin.post(f"/admin/users/{ada.user_id}/enable")
    assert enabled.json["disabled_at"] is None
    assert ada.get("/profile").status_code == 401
    assert script.get("/profile").status_code == 200


def test_it_leaves_events_that_name_who_did_it(admin: Api, ada: Api, context: Flask) -> None:
    for change in ("disable", "disable", "enable"):
        admin.post(f"/admin/users/{ada.user_id}/{change}")
    session = Api(ada.app).post("/auth/login", {"login": "ada", "password": "correct horse battery"}).json
    events = Api(ada.app, session=session).get("/profile/security-events").json["items"]
    mine = [(event["kind"], event["detail"]) for event in events if event["kind"].startswith("user_")]
    assert mine == [("user_enabled", {"by": admin.user_id}), ("user_disabled", {"by": admin.user_id})]


def test_nobody_disables_themself_or_who_is_not_there(admin: Api) -> None:
    assert admin.post(f"/admin/users/{admin.user_id}/disable").status_code == 409
    assert admin.post(f"/admin/users/{10**9}/disable").status_code == 404
    assert admin.get("/profile").status_code == 200


def test_who_is_made_an_administrator_is_one_at_once_and_no_longer_when_not(ada: Api, context: Flask) -> None:
    assert ada.get("/admin/users").status_code == 403
    set_admin(ada.user_id, True)
    assert ada.get("/admin/users").status_code == 200
    set_admin(ada.user_id, False)
    assert ada.get("/admin/users").status_code == 403


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `users …` on the application of the test."""
    monkeypatch.setattr(people, "connected_application", app.app_context)
    return lambda *arguments: CliRunner().invoke(people.users, arguments, catch_exceptions=False)


def make_account(app: Flask, monkeypatch: pytest.MonkeyPatch, email: str, username: str, password: str) -> Result:
    monkeypatch.setattr(people, "connected_application", app.app_context)
    return CliRunner().invoke(people.create_user, [email, username, "--password-stdin"], input=f"{password}\n")


@pytest.mark.parametrize("email", ["root@localhost", "root@nas.local", "root@x.home.arpa", "root@in", "root@a.org"])
def test_the_operator_makes_accounts_of_the_house_too(app: Flask, monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    made = make_account(app, monkeypatch, email, "root", "correct horse battery")
    assert made.output == f"Made the account root ({email})\n"
    login = {"login": email, "password": "correct horse battery"}
    assert Api(app).post("/auth/login", login).json["user"]["username"] == "root"


@pytest.mark.parametrize(
    ("email", "username", "password", "words"),
    [
        ("nobody", "root", "correct horse battery", "email: An email address must have an @-sign."),
        ("root@localhost", "a b", "correct horse battery", "username: A username has no spaces"),
        ("root@localhost", "ada@example.org", "correct horse battery", "username: A username has no"),
        ("root@localhost", "root", "short", "password: Input should have at least 10 characters"),
        ("root@localhost", "root", "hunter2hunter2", "This password is among the most common ones."),
        ("ADA@example.org", "root", "correct horse battery", "This mail address is already registered."),
    ],
)
def test_the_operator_is_told_what_is_wrong_with_an_account(
    ada: Api, monkeypatch: pytest.MonkeyPatch, email: str, username: str, password: str, words: str
) -> None:
    refused = make_account(ada.app, monkeypatch, email, username, password)
    assert refused.exit_code == 1
    assert words in refused.output
    assert password not in refused.output


def test_the_operator_lists_everybody(ada: Api, bob: Api, command: Callable[..., Result]) -> None:
    command("disable", "bob")
    listed = command("list").stdout.splitlines()
    assert listed == [
        f"{ada.user_id}\tada\tada@example.org\tuser\tenabled",
        f"{bob.user_id}\tbob\tbob@example.org\tuser\tdisabled",
    ]
    assert command("list", "--disabled").stdout.splitlines() == listed[1:]
    assert command("list", "--matching", "ADA").stdout.splitlines() == listed[:1]


def test_the_operator_sees_more_than_a_page(person: Callable[..., Api], command: Callable[..., Result]) -> None:
    for _ in range(103):
        person()
    assert len(set(command("list").stdout.splitlines())) == 103


def test_the_operator_disables_and_enables(ada: Api, command: Callable[..., Result]) -> None:
    assert command("disable", "ADA@example.org").stdout == "Disabled ada (ada@example.org)\n"
    assert ada.get("/profile").status_code == 401
    assert command("enable", "ada").exit_code == 0
    with ada.app.app_context():
        assert db.session.get_one(User, ada.user_id).disabled_at is None


def test_the_operator_makes_administrators(ada: Api, command: Callable[..., Result]) -> None:
    assert command("promote", "ada").exit_code == 0
    assert ada.get("/admin/users").status_code == 200
    assert command("demote", "ada").exit_code == 0
    assert ada.get("/admin/users").status_code == 403


def test_whom_the_operator_names_must_be_there(ada: Api, command: Callable[..., Result]) -> None:
    refused = command("promote", "nobody")
    assert refused.exit_code == 1
    assert "There is no account nobody." in refused.output
