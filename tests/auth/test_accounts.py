"""Registering, logging in and out, refreshing (R-AUTH)."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.errors import Invalid
from backend.registration.service import create_user
from tests.support.api import PASSWORD, Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ADA = {"email": "Ada@Example.org", "username": "Ada", "password": PASSWORD}


def test_registering_logs_in_and_makes_a_personal_organization(anonymous: Api) -> None:
    response = anonymous.post("/auth/register", ADA)
    assert response.status_code == 201
    session = response.json
    assert session["user"]["email"] == "Ada@Example.org"
    assert session["user"]["role"] == "user"
    assert session["user"]["created_at"].endswith("Z")
    assert session["token_type"] == "Bearer"
    assert session["expires_in"] == 900
    profile = Api(anonymous.app, session=session).get("/profile")
    assert profile.json["username"] == "Ada"
    events = Api(anonymous.app, session=session).get("/profile/security-events").json["items"]
    assert [event["kind"] for event in events] == ["registered"]


@pytest.mark.parametrize(
    "change", [{"email": "ada@example.ORG", "username": "other"}, {"email": "other@example.org", "username": "aDA"}]
)
def test_names_and_addresses_are_taken_whatever_their_case(anonymous: Api, change: dict[str, str]) -> None:
    assert anonymous.post("/auth/register", ADA).status_code == 201
    assert anonymous.post("/auth/register", {**ADA, **change}).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "x" * 129),
        ("password", "password123"),
        ("password", "1234567890"),
        ("password", "PASSWORD1234"),
        ("password", "ada@example.org"),
        ("password", "with\x00nul-inside"),
        ("email", "no-address"),
        ("email", "a b@example.org"),
        ("username", "a"),
        ("username", "with space"),
        ("username", "at@sign"),
        ("username", "nul\x00"),
        ("extra", "field"),
    ],
)
def test_bad_registrations_name_the_field(anonymous: Api, field: str, value: str) -> None:
    assert f"body.{field}" in field_errors(anonymous.post("/auth/register", {**ADA, field: value}))


@pytest.mark.parametrize(
    ("password", "words"),
    [("short", "Input should have at least 10 characters"), ("x" * 129, "Input should have at most 128 characters")],
)
def test_a_password_of_the_wrong_length_is_told_which_is_right(anonymous: Api, password: str, words: str) -> None:
    [fault] = anonymous.post("/auth/register", {**ADA, "password": password}).json["errors"]
    assert (fault["field"], fault["message"]) == ("body.password", words)


def test_the_username_is_no_password(anonymous: Api) -> None:
    body = {**ADA, "username": "a-long-username", "password": "A-Long-Username"}
    assert field_errors(anonymous.post("/auth/register", body)) == {"body.password": "password"}


@pytest.mark.parametrize("login", ["Ada", "ADA", "ada@example.org", "ADA@EXAMPLE.ORG"])
def test_logging_in_takes_name_or_address_in_any_case(anonymous: Api, login: str) -> None:
    anonymous.post("/auth/register", ADA)
    response = anonymous.post("/auth/login", {"login": login, "password": PASSWORD})
    assert response.status_code == 200


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(anonymous: Api) -> None:
    anonymous.post("/auth/register", ADA)
    wrong = anonymous.post("/auth/login", {"login": "ada", "password": "wrong password"})
    unknown = anonymous.post("/auth/login", {"login": "nobody", "password": "wrong password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json["detail"] == unknown.json["detail"]
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


def test_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(anonymous: Api) -> None:
    session = anonymous.post("/auth/register", ADA).json
    assert anonymous.post("/auth/refresh", {"refresh_token": session["access_token"]}).status_code == 401
    assert Api(anonymous.app, token=session["refresh_token"]).get("/profile").status_code == 401


def test_logging_out_ends_access_and_refresh_at_once(ada: Api) -> None:
    assert ada.post("/auth/logout").status_code == 204
    assert ada.get("/profile").status_code == 401
    assert ada.post("/auth/refresh", {"refresh_token": ada.session["refresh_token"]}).status_code == 401


def test_logging_out_everywhere_ends_the_other_sessions_too(ada: Api) -> None:
    other = Api(ada.app, session=ada.post("/auth/login", {"login": "ada", "password": PASSWORD}).json)
    assert other.get("/profile").status_code == 200
    assert ada.post("/auth/logout-all").status_code == 204
    assert other.get("/profile").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer not.a.token",
        "Basic YTpi",
        "Token abc",
        "Bearer a b",
        "bearer\x01",
        "Bearer " + "x" * 5000,
    ],
)
def test_a_malformed_authorization_header_is_401(anonymous: Api, header: str) -> None:
    response = anonymous.request("GET", "/profile", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.content_type == "application/problem+json"


def test_another_organization_looks_as_if_it_never_was(ada: Api, bob: Api) -> None:
    foreign = ada.request("GET", "/bookmarks", headers={"X-Organization-ID": str(bob.organization_id)})
    missing = ada.request("GET", "/bookmarks", headers={"X-Organization-ID": "999999999"})
    rubbish = ada.request("GET", "/bookmarks", headers={"X-Organization-ID": "rubbish"})
    own = ada.request("GET", "/bookmarks", headers={"X-Organization-ID": str(ada.organization_id)})
    assert [foreign.status_code, missing.status_code, rubbish.status_code, own.status_code] == [404, 404, 404, 200]


def test_the_operator_cannot_make_accounts_with_weak_passwords_either(context: Flask) -> None:
    with pytest.raises(Invalid):
        create_user("root@example.org", "root", "short", admin=True)
    assert create_user("root@example.org", "root", PASSWORD, admin=True).role == "admin"
