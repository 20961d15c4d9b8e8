"""API tokens: made, checked, bound, scoped, revoked (R-AUTH 8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.auth.api_tokens import generate_token, is_well_formed
from backend.auth.session_cache import invalidate_user
from backend.extensions import db
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def make(api: Api, *scopes: str, **more: Any) -> dict[str, Any]:
    response = api.post("/auth/tokens", {"name": "script", "scopes": list(scopes) or ["*:read", "*:write"], **more})
    assert response.status_code == 201, response.get_data(as_text=True)
    token: dict[str, Any] = response.json
    return token


def client(api: Api, token: dict[str, Any]) -> Api:
    return Api(api.app, token=token["token"])


def test_a_token_is_told_once_and_stored_as_a_hash(ada: Api, context: Flask) -> None:
    made = make(ada, "bookmarks:read", "bookmarks:read", "search:read")
    assert made["token"].startswith("fz_")
    assert made["token"].startswith(made["prefix"])
    assert made["scopes"] == ["bookmarks:read", "search:read"]
    listed = ada.get("/auth/tokens").json
    assert listed["total"] == 1
    assert listed["items"][0] == {name: value for name, value in made.items() if name != "token"}
    stored = str(db.session.execute(text("SELECT * FROM api_tokens")).one())
    assert made["token"] not in stored
    assert made["token"][8:] not in stored


@pytest.mark.unit
def test_a_typo_in_a_token_is_seen_without_a_look_up() -> None:
    token = generate_token()
    assert is_well_formed(token)
    for place in range(3, len(token)):
        other = "A" if token[place] != "A" else "B"
        assert not is_well_formed(token[:place] + other + token[place + 1 :])
    assert not is_well_formed(token + "A")
    assert not is_well_formed(token[:-1])


def test_scopes_are_kept_on_reading_and_writing(ada: Api) -> None:
    reader, writer = client(ada, make(ada, "bookmarks:read")), client(ada, make(ada, "bookmarks:write"))
    assert reader.get("/bookmarks").status_code == 200
    assert reader.post("/bookmarks", {"url": "https://example.org/", "capture": False}).status_code == 403
    assert reader.get("/search", q="x").status_code == 403
    assert writer.post("/bookmarks", {"url": "https://example.org/", "capture": False}).status_code == 201
    assert writer.get("/bookmarks").status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/tokens"),
        ("POST", "/auth/tokens"),
        ("DELETE", "/auth/tokens/1"),
        ("GET", "/auth/sessions"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/logout-all"),
    ],
)
def test_no_token_manages_logins_and_tokens(ada: Api, method: str, path: str) -> None:
    script = client(ada, make(ada))
    assert script.request(method, path, json={} if method == "POST" else None).status_code == 403
    assert script.get("/profile").status_code == 200


def test_what_a_profile_answers_from_the_cache_is_each_credentials_own(ada: Api, bob: Api, sql: SqlCounter) -> None:
    """Narrow and wide tokens of two people, and their logins: each reads its own person, cached or not."""
    holders = [
        (person, Api(ada.app, token=token))
        for person in (ada, bob)
        for token in (person.token, *(make(person, scope)["token"] for scope in ("jobs:read", "*:write")))
    ]
    for _ in range(2):
        for person, holder in holders:
            assert holder.get("/profile").json["id"] == person.user_id
    with sql.at_most(0):
        assert holders[1][1].get("/profile").json["id"] == ada.user_id
    assert ada.patch("/profile", {"username": "lovelace"}).status_code == 200
    assert {holder.get("/profile").json["username"] for person, holder in holders if person is ada} == {"lovelace"}
    narrow = holders[1][1]
    elsewhere = narrow.request("GET", "/profile", headers={"X-Organization-ID": str(bob.organization_id)})
    assert elsewhere.status_code == 404
    [made] = [item for item in ada.get("/auth/tokens").json["items"] if item["scopes"] == ["jobs:read"]]
    ada.delete(f"/auth/tokens/{made['id']}")
    assert narrow.get("/profile").status_code == 401


def test_a_token_is_for_one_organization(ada: Api, bob: Api) -> None:
    script = client(ada, make(ada))
    mine = {"X-Organization-ID": str(ada.organization_id)}
    theirs = {"X-Organization-ID": str(bob.organization_id)}
    assert script.request("GET", "/bookmarks", headers=mine).status_code == 200
    assert script.request("GET", "/bookmarks", headers=theirs).status_code == 404
    refused = ada.post("/auth/tokens", {"name": "x", "scopes": ["*:read"], "organization_id": bob.organization_id})
    assert field_errors(refused) == {"body.organization_id": "unknown_organization"}


def test_the_end_of_a_token_is_told_in_utc_from_the_beginning(ada: Api) -> None:
    made = make(ada, expires_at="2100-01-01T01:30:00.25+02:00")
    assert made["expires_at"] == "2099-12-31T23:30:00.250000Z"
    assert ada.get("/auth/tokens").json["items"][0]["expires_at"] == made["expires_at"]


def test_a_deleted_an_expired_and_a_forged_token_are_401(ada: Api, bob: Api, context: Flask) -> None:
    made = make(ada, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    script = client(ada, made)
    assert script.get("/bookmarks").status_code == 200
    assert bob.delete(f"/auth/tokens/{made['id']}").status_code == 404
    assert ada.delete(f"/auth/tokens/{made['id']}").status_code == 204
    assert script.get("/bookmarks").status_code == 401
    soon = make(ada, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    db.session.execute(text("UPDATE api_tokens SET expires_at = now() - interval '1 second'"))
    db.session.commit()
    assert client(ada, soon).get("/bookmarks").status_code == 401
    assert Api(ada.app, token=generate_token()).get("/bookmarks").status_code == 401
    assert Api(ada.app, token="fz_short").get("/bookmarks").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "scopes": ["*:read"]}, "body.name"),
        ({"name": "  ", "scopes": ["*:read"]}, "body.name"),
        ({"name": "x", "scopes": []}, "body.scopes"),
        ({"name": "x", "scopes": ["everything"]}, "body.scopes.0"),
        ({"name": "x", "scopes": ["account:write"]}, "body.scopes.0"),
        ({"name": "x", "scopes": ["*:read"], "expires_at": "2020-01-01T00:00:00Z"}, "body.expires_at"),
        ({"scopes": ["*:read"]}, "body.name"),
    ],
)
def test_bad_tokens_name_the_field(ada: Api, body: dict[str, Any], field: str) -> None:
    assert field in field_errors(ada.post("/auth/tokens", body))


def test_the_last_use_is_written_at_most_once_a_minute(ada: Api, context: Flask, sql: SqlCounter) -> None:
    made = make(ada)
    script = client(ada, made)
    assert script.get("/profile").status_code == 200
    first = ada.get("/auth/tokens").json["items"][0]["last_used_at"]
    assert first is not None
    # Known now, and used within the minute: the profile is kept, so that nothing is sent at all.
    with sql.at_most(0):
        assert script.get("/profile").status_code == 200
    assert ada.get("/auth/tokens").json["items"][0]["last_used_at"] == first


def test_a_token_ends_with_the_membership(ada: Api, context: Flask) -> None:
    script = client(ada, make(ada))
    assert script.get("/bookmarks").status_code == 200
    db.session.execute(text("DELETE FROM memberships"))
    db.session.commit()
    invalidate_user(ada.user_id)
    assert script.get("/bookmarks").status_code == 404
