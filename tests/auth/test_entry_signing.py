"""Whoever writes to Redis becomes nobody else, and gains no right (R-TRUST 4)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
from flask import Flask
from sqlalchemy import text

from backend.auth import entry_signing
from backend.auth.entry_signing import TRAILER_BYTES, EntrySigner
from backend.auth.session_cache import SIGNED_SECONDS, invalidate_user
from backend.extensions import db
from backend.redis.client import redis_client, resilient_redis
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def key(app: Flask, name: str) -> str:
    with app.app_context():
        resilient_redis().client.ping()
        return resilient_redis().key(name)


def keys(app: Flask, pattern: str) -> list[bytes]:
    with app.app_context():
        found: list[bytes] = redis_client().keys(key(app, pattern))  # type: ignore[assignment]
        return found


def write(app: Flask, name: str, value: bytes) -> None:
    with app.app_context():
        redis_client().set(key(app, name), value, ex=300)


def stored(app: Flask, name: str) -> bytes:
    with app.app_context():
        value: bytes | None = redis_client().get(key(app, name))  # type: ignore[assignment]
        assert value is not None, name
        return value


def session_of(api: Api) -> str:
    session_id: str = api.get("/auth/sessions").json["items"][0]["id"]
    return session_id


def token_of(api: Api, **more: Any) -> tuple[Api, str]:
    """A client with an API token of this person, and the token's name in Redis."""
    answer = api.post("/auth/tokens", {"name": "t", "scopes": ["*:read"], **more})
    assert answer.status_code == 201, answer.json
    token = answer.json["token"]
    return Api(api.app, session={"access_token": token}), f"token:{hashlib.sha256(token.encode()).hexdigest()}"


def admin_entry(api: Api) -> bytes:
    return b"%d%b" % (
        api.organization_id,
        orjson.dumps({"a": True, "d": False, "m": {str(api.organization_id): "owner"}}),
    )


@pytest.mark.parametrize("trailer", [b"", b"\xff" * TRAILER_BYTES, b"\xff\xff\xff\xff" + b"\0" * 16])
def test_a_flag_in_redis_makes_no_administrator(ada: Api, trailer: bytes) -> None:
    assert ada.get("/admin/users").status_code == 403
    write(ada.app, f"user:{ada.user_id}", admin_entry(ada) + trailer)
    assert ada.get("/admin/users").status_code == 403
    assert ada.get("/admin/users").status_code == 403


def test_an_administrators_entry_is_no_other_persons(person: Callable[..., Api], ada: Api) -> None:
    chief = person("chief", admin=True)
    assert chief.get("/admin/users").status_code == 200
    ada.get("/tags")
    write(ada.app, f"user:{ada.user_id}", stored(ada.app, f"user:{chief.user_id}"))
    assert ada.get("/admin/users").status_code == 403


def test_a_made_up_token_opens_nothing(ada: Api, bob: Api) -> None:
    bob.get("/tags")
    real, name = token_of(ada)
    value = orjson.dumps({"i": 1, "s": ["*:read", "*:write"], "e": None})
    forged = b"%d:%d%b" % (bob.user_id, bob.organization_id, value)
    saved = ada.save("https://example.org/")["id"]
    assert real.delete(f"/bookmarks/{saved}").status_code == 403
    for entry in (forged, forged + b"\xff" * TRAILER_BYTES, orjson.dumps({"u": bob.user_id, "o": 1, "s": [], "e": 1})):
        write(ada.app, name, entry)
        assert real.get("/profile").json["id"] == ada.user_id
        assert real.delete(f"/bookmarks/{saved}").status_code == 403
    ghost = "fz_" + "0" * 40
    write(ada.app, f"token:{hashlib.sha256(ghost.encode()).hexdigest()}", forged)
    assert Api(ada.app, session={"access_token": ghost}).get("/bookmarks").status_code == 401


def test_a_tokens_entry_is_no_other_tokens(ada: Api, bob: Api) -> None:
    his, his_name = token_of(bob, scopes=["*:read", "*:write"])
    hers, her_name = token_of(ada)
    assert his.get("/bookmarks").status_code == hers.get("/bookmarks").status_code == 200
    write(ada.app, her_name, stored(ada.app, his_name))
    assert hers.get("/profile").json["id"] == ada.user_id
    assert hers.post("/bookmarks", {"url": "https://example.org/"}).status_code == 403


def test_no_made_up_entry_has_anothers_cached_responses_shown(ada: Api, bob: Api) -> None:
    """The responses are looked for under whatever an entry says, before its signature is seen to be none."""
    bob.save("https://example.org/secret-of-bob")
    assert bob.get("/bookmarks").json["total"] == 1
    real, name = token_of(ada)
    assert real.get("/bookmarks").json["total"] == 0
    value = orjson.dumps({"i": 1, "s": ["*:read"], "e": None})
    write(ada.app, f"user:{bob.user_id}", stored(ada.app, f"user:{bob.user_id}"))
    for _ in range(2):
        write(ada.app, name, b"%d:%d%b" % (bob.user_id, bob.organization_id, value) + b"\xff" * TRAILER_BYTES)
        assert real.get("/bookmarks").json["total"] == 0
        assert real.get("/bookmarks").json["total"] == 0
    write(ada.app, f"user:{ada.user_id}", b"%d{}" % bob.organization_id + b"\xff" * TRAILER_BYTES)
    assert ada.get("/bookmarks").json["total"] == 0


def test_a_revoked_session_is_not_brought_back_by_another_ones_entry(ada: Api, bob: Api) -> None:
    bob.get("/tags")
    ended, alive = session_of(ada), session_of(bob)
    ada.post("/auth/logout")
    for entry in (b"+", b"+" + b"\xff" * TRAILER_BYTES, stored(ada.app, f"session:{alive}")):
        write(ada.app, f"session:{ended}", entry)
        assert ada.get("/tags").status_code == 401


def test_an_old_entry_that_is_put_back_is_worth_nothing_after_its_end(
    person: Callable[..., Api], context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = person("chief", admin=True)
    assert chief.get("/admin/users").status_code == 200
    session, old = session_of(chief), stored(context, f"user:{chief.user_id}")
    db.session.execute(text("UPDATE users SET role = 'user'"))
    db.session.commit()
    invalidate_user(chief.user_id)
    assert chief.get("/admin/users").status_code == 403
    write(context, f"user:{chief.user_id}", old)
    now = time.time
    monkeypatch.setattr(entry_signing.time, "time", lambda: now() + SIGNED_SECONDS + 1)
    write(context, f"session:{session}", b"")
    assert chief.get("/admin/users").status_code == 403


def test_what_is_not_believed_gives_way_and_is_not_asked_for_again(ada: Api, sql: SqlCounter) -> None:
    ada.get("/tags")
    write(ada.app, f"user:{ada.user_id}", admin_entry(ada))
    assert ada.get("/admin/users").status_code == 403
    ada.get("/tags")
    with sql.at_most(0):
        assert ada.get("/tags").status_code == 200


def test_a_mark_does_not_give_way(ada: Api, context: Flask) -> None:
    ada.get("/tags")
    invalidate_user(ada.user_id)
    assert ada.get("/tags").status_code == 200
    assert stored(context, f"user:{ada.user_id}") == b"!"


@pytest.mark.parametrize("entry", [b"", b"x", b"\xff" * 100, b"{}", b"1:1{", b"7{", b"+", b"1" * 5000, b"[" * 5000])
def test_garbage_in_the_place_of_an_entry_is_as_if_nothing_were_there(ada: Api, entry: bytes) -> None:
    real, name = token_of(ada)
    session = session_of(ada)
    for place in (name, f"user:{ada.user_id}", f"session:{session}"):
        write(ada.app, place, entry)
        assert real.get("/tags").status_code == ada.get("/tags").status_code == 200
        assert real.get("/tags").status_code == ada.get("/tags").status_code == 200


@pytest.mark.processes
def test_the_fast_path_of_a_real_server_believes_none_of_it(ada: Api, bob: Api, live: LiveServer) -> None:
    bob.save("https://example.org/secret-of-bob")
    token = ada.post("/auth/tokens", {"name": "t", "scopes": ["*:read"]}).json["token"]
    name = f"token:{hashlib.sha256(token.encode()).hexdigest()}"

    def total(shown: str) -> int:
        answer = live.request("GET", "/api/v1/bookmarks", Authorization=f"Bearer {shown}")
        number: int = answer.json["total"]
        return number

    assert [total(bob.session["access_token"]) for _ in range(2)] == [1, 1]
    assert [total(token) for _ in range(2)] == [0, 0]
    value = orjson.dumps({"i": 1, "s": ["*:read"], "e": None})
    write(ada.app, name, b"%d:%d%b" % (bob.user_id, bob.organization_id, value) + b"\xff" * TRAILER_BYTES)
    assert [total(token) for _ in range(3)] == [0, 0, 0]
    write(ada.app, f"user:{ada.user_id}", admin_entry(ada))
    refused = live.request("GET", "/api/v1/admin/users", Authorization=f"Bearer {ada.session['access_token']}")
    assert refused.status == 403


def test_an_entry_is_read_under_its_name_with_its_key_and_before_its_end() -> None:
    signer, other = EntrySigner("a" * 32), EntrySigner("b" * 32)
    entry = signer.sign("user:1", b"value", 60)
    assert signer.read("user:1", entry) == b"value"
    assert signer.read("user:2", entry) is None
    assert other.read("user:1", entry) is None
    assert signer.read("user:1", signer.sign("user:1", b"value", 0)) is None
    assert signer.read("user:1", None) is None
    for at in range(len(entry)):
        changed = bytearray(entry)
        changed[at] ^= 1
        assert signer.read("user:1", bytes(changed)) is None
    for end in range(len(entry)):
        assert signer.read("user:1", entry[:end]) is None
    assert signer.read(f"session:{uuid4()}", entry) is None
