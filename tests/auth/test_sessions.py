"""Logins: listed and ended, refreshed by two tabs at once, kept in cookies, known to all processes (R-AUTH)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import jwt
import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text

from backend.auth import person_queries, service, session_cache
from backend.auth.jobs import repeat_revocations
from backend.auth.session_cache import invalidate_user
from backend.auth.tokens import make_refresh_token
from backend.clock import utc_now
from backend.extensions import db
from backend.redis.client import redis_client
from backend.redis.resilient import ResilientRedis
from config import Settings
from tests.support.api import PASSWORD, Api
from tests.support.factories import unreachable_gate
from tests.support.processes import eventually
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def login(api: Api, username: str = "ada") -> Api:
    session = api.post("/auth/login", {"login": username, "password": PASSWORD}).json
    return Api(api.app, session=session)


def refresh(api: Api, token: str) -> Any:
    return api.post("/auth/refresh", {"refresh_token": token})


def works(api: Api) -> bool:
    return api.get("/profile").status_code == 200


def refreshed(api: Api, monkeypatch: pytest.MonkeyPatch, *, seconds_ago: int) -> Any:
    """The answer of a refresh some time ago. A token carries when it was made, so a row alone cannot be made older."""
    with monkeypatch.context() as earlier:
        earlier.setattr(service, "utc_now", lambda: utc_now() - timedelta(seconds=seconds_ago))
        return refresh(api, api.session["refresh_token"])


def test_logins_are_listed_newest_first_and_ended_one_by_one(ada: Api, bob: Api) -> None:
    other = login(ada)
    page = ada.get("/auth/sessions").json
    assert page["total"] == 2
    assert [item["current"] for item in page["items"]] == [False, True]
    assert set(page["items"][0]) == {"id", "user_agent", "ip", "created_at", "last_used_at", "current"}
    theirs = bob.get("/auth/sessions").json["items"][0]["id"]
    assert ada.delete(f"/auth/sessions/{theirs}").status_code == 404
    assert works(bob)
    assert works(other)
    assert ada.delete(f"/auth/sessions/{page['items'][0]['id']}").status_code == 204
    assert not works(other)
    assert refresh(ada, other.session["refresh_token"]).status_code == 401
    assert works(ada)
    assert ada.delete(f"/auth/sessions/{page['items'][0]['id']}").status_code == 404
    assert ada.get("/auth/sessions").json["total"] == 1
    ended = [item for item in ada.get("/profile/security-events").json["items"] if item["kind"] == "session_ended"]
    assert [item["detail"] for item in ended] == [{"session_id": page["items"][0]["id"]}]


def test_two_tabs_with_one_refresh_token_get_the_same_successor(ada: Api) -> None:
    first = refresh(ada, ada.session["refresh_token"])
    second = refresh(ada, ada.session["refresh_token"])
    assert [first.status_code, second.status_code] == [200, 200]
    assert first.json["refresh_token"] == second.json["refresh_token"]
    assert works(Api(ada.app, session=second.json))


def test_three_tabs_that_are_restored_together_all_go_on(ada: Api) -> None:
    """Two of them have refreshed one after the other when the third comes with the token that all began with."""
    tokens = [ada.session["refresh_token"]]
    for _ in range(4):
        tokens.append(refresh(ada, tokens[-1]).json["refresh_token"])
    for used in tokens[:-1]:
        late = refresh(ada, used)
        assert (late.status_code, late.json["refresh_token"]) == (200, tokens[-1])
        assert works(Api(ada.app, session=late.json))
    assert refresh(ada, tokens[-1]).status_code == 200


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_each_token_of_the_chain_has_its_own_five_seconds(
    ada: Api, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The second was replaced three seconds ago; before that, the first `6 + steps` seconds ago."""
    first = refreshed(ada, monkeypatch, seconds_ago=6 + steps).json
    for _ in range(steps):
        last = refreshed(Api(ada.app, session=first), monkeypatch, seconds_ago=3).json
        first, second = last, first
    assert refresh(ada, second["refresh_token"]).json["refresh_token"] == last["refresh_token"]
    assert refresh(ada, ada.session["refresh_token"]).status_code == 401
    assert refresh(ada, last["refresh_token"]).status_code == 401
    assert not works(Api(ada.app, session=last))


def test_the_chain_keeps_what_is_recent_and_no_more(ada: Api, monkeypatch: pytest.MonkeyPatch, context: Flask) -> None:
    session = ada.session
    for seconds in (60, 50, 40, 4, 2):
        session = refreshed(Api(ada.app, session=session), monkeypatch, seconds_ago=seconds).json
    assert db.session.scalar(text("SELECT cardinality(recent_rotations) FROM sessions")) == 2


def test_a_token_that_the_session_never_gave_out_ends_it(ada: Api) -> None:
    """Signed as ours, but of a generation that is still to come."""
    session_id = UUID(ada.get("/auth/sessions").json["items"][0]["id"])
    with ada.app.app_context():
        made_up = make_refresh_token(ada.user_id, session_id, 5, utc_now())
    assert refresh(ada, made_up).status_code == 401
    assert not works(ada)


def test_within_the_grace_a_used_refresh_token_gives_its_successor(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    successor = refreshed(ada, monkeypatch, seconds_ago=2).json
    assert refresh(ada, ada.session["refresh_token"]).json["refresh_token"] == successor["refresh_token"]
    assert works(Api(ada.app, session=successor))


def test_after_the_grace_a_used_refresh_token_ends_the_session(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    successor = refreshed(ada, monkeypatch, seconds_ago=6).json
    assert works(Api(ada.app, session=successor))
    assert refresh(ada, ada.session["refresh_token"]).status_code == 401
    assert refresh(ada, successor["refresh_token"]).status_code == 401
    assert not works(Api(ada.app, session=successor))


def test_of_fifty_refreshes_at_once_one_family_lives_on(ada: Api, context: Flask) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: refresh(ada, ada.session["refresh_token"]), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert works(Api(ada.app, session=answers[-1].json))
    assert refresh(ada, successors.pop()).status_code == 200
    assert works(Api(ada.app, session=answers[0].json))


def test_of_many_refreshes_along_the_chain_at_once_all_get_the_newest_or_one_that_goes_on(ada: Api) -> None:
    tokens = [ada.session["refresh_token"]]
    tokens.append(refresh(ada, tokens[-1]).json["refresh_token"])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda place: refresh(ada, tokens[place % 2]), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert refresh(ada, answer.json["refresh_token"]).status_code == 200


def test_a_refresh_takes_few_statements(ada: Api, sql: SqlCounter) -> None:
    with sql.at_most(2):  # The rotation, and the person.
        successor = refresh(ada, ada.session["refresh_token"]).json
    with sql.at_most(3):
        assert refresh(ada, ada.session["refresh_token"]).json["refresh_token"] == successor["refresh_token"]


def test_a_known_login_takes_no_sql_and_one_round_trip(ada: Api, sql: SqlCounter) -> None:
    assert works(ada)
    with sql.at_most(0):
        assert ada.get("/jobs/00000000-0000-0000-0000-000000000000", nonsense="1").status_code == 422
    with ada.app.app_context():
        before = redis_client().info("commandstats")
        ada.get("/jobs/00000000-0000-0000-0000-000000000000", nonsense="1")
        after = redis_client().info("commandstats")
    calls = {name: value["calls"] - before.get(name, {"calls": 0})["calls"] for name, value in after.items()}
    asked = {name: count for name, count in calls.items() if count and "info" not in name}
    assert asked == {"cmdstat_evalsha": 1, "cmdstat_mget": 1}  # The script, and what it reads.


def test_logging_out_is_seen_at_once_with_and_without_redis(ada: Api) -> None:
    assert works(ada)
    other = login(ada)
    assert works(other)
    assert other.post("/auth/logout").status_code == 204
    assert not works(other)
    assert works(ada)
    assert ada.post("/auth/logout-all").status_code == 204
    assert not works(ada)


def test_without_redis_everything_is_read_from_the_database(ada: Api, no_redis: None) -> None:
    assert works(ada)
    other = login(ada)
    assert works(other)
    assert refresh(ada, other.session["refresh_token"]).status_code == 200
    assert other.post("/auth/logout").status_code == 204
    assert not works(other)
    assert works(ada)


def test_a_logout_while_redis_was_away_holds_when_it_is_back(
    ada: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert works(ada)
    gate = cast(ResilientRedis, app.extensions["resilient_redis"])
    with monkeypatch.context() as patch:
        patch.setattr(gate, "_pipe", unreachable_gate()._pipe)
        assert ada.post("/auth/logout").status_code == 204
        assert not works(ada)
    assert not works(ada)
    # What Redis still held is believed no more once the mark is there, and not before.
    assert not gate.is_trusted
    monkeypatch.setattr(gate, "_distrusted_until", 0.0)
    assert eventually(lambda: not gate._pending)
    assert not works(ada)


def test_what_a_dead_process_could_not_tell_is_told_by_the_schedulers_pass(ada: Api, context: Flask) -> None:
    assert works(ada)
    db.session.execute(text("UPDATE sessions SET revoked_at = now()"))
    db.session.commit()
    assert works(ada)
    repeat_revocations()
    assert not works(ada)


def test_a_reader_that_is_overtaken_does_not_bring_a_session_back(ada: Api, context: Flask) -> None:
    """It read the live session before the logout, and tells Redis after."""
    assert works(ada)
    session_id = ada.get("/auth/sessions").json["items"][0]["id"]
    person = person_queries.load_session(UUID(session_id), ada.user_id)
    ada.post("/auth/logout")
    session_cache.store_session(session_id, person)
    assert not works(ada)


def test_changes_of_a_person_are_seen_at_once(ada: Api, context: Flask) -> None:
    assert works(ada)
    db.session.execute(text("UPDATE memberships SET role = 'viewer'"))
    db.session.commit()
    invalidate_user(ada.user_id)
    assert ada.post("/bookmarks", {"url": "https://example.org/"}).status_code == 403
    db.session.execute(text("UPDATE users SET disabled_at = now()"))
    db.session.commit()
    invalidate_user(ada.user_id)
    assert not works(ada)
    assert refresh(ada, ada.session["refresh_token"]).status_code == 401
    assert ada.post("/auth/login", {"login": "ada", "password": PASSWORD}).status_code == 401


def cookies_of(response: Any) -> dict[str, str]:
    return {value.partition("=")[0]: value for value in response.headers.getlist("Set-Cookie")}


def test_the_refresh_token_can_live_in_a_cookie(person: Any, anonymous: Api) -> None:
    person("ada")
    answer = anonymous.request("POST", "/auth/login?cookie=true", json={"login": "ada", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json["refresh_token"] is None
    cookies = cookies_of(answer)
    for part in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Secure"):
        assert part in cookies["fuze_refresh"]
    assert "HttpOnly" not in cookies["fuze_csrf"]
    csrf = cookies["fuze_csrf"].split(";")[0].partition("=")[2]
    token = cookies["fuze_refresh"].split(";")[0].partition("=")[2]

    def send(headers: dict[str, str]) -> Any:
        anonymous.client.set_cookie("fuze_refresh", token, path="/api/v1/auth")
        anonymous.client.set_cookie("fuze_csrf", csrf)
        return anonymous.client.post("/api/v1/auth/refresh", headers=headers)

    assert send({}).status_code == 403
    assert send({"X-CSRF-Token": "guessed"}).status_code == 403
    assert send({"X-CSRF-Token": f"{csrf}x"}).status_code == 403
    # Some clients name the type of a body also where they send none.
    assert send({"X-CSRF-Token": csrf, "Content-Type": "application/json"}).status_code == 200
    again = send({"X-CSRF-Token": csrf})
    assert again.status_code == 200
    assert again.json["refresh_token"] is None
    assert "fuze_refresh" in cookies_of(again)
    assert works(Api(anonymous.app, session=again.json))
    ended = Api(anonymous.app, session=again.json).post("/auth/logout")
    assert "fuze_refresh=;" in cookies_of(ended)["fuze_refresh"]


def cookie_login(api: Api, name: str) -> dict[str, str]:
    """The values of the cookies of a login."""
    answer = Api(api.app).request("POST", "/auth/login?cookie=true", json={"login": name, "password": PASSWORD})
    return {name: line.split(";")[0].partition("=")[2] for name, line in cookies_of(answer).items()}


def refresh_by_cookie(api: Api, token: str, csrf: str, header: str) -> Any:
    browser = Api(api.app)
    browser.client.set_cookie("fuze_refresh", token, path="/api/v1/auth")
    browser.client.set_cookie("fuze_csrf", csrf)
    return browser.request("POST", "/auth/refresh", headers={"X-CSRF-Token": header})


@pytest.mark.parametrize(
    "kind", ["made up", "of another session", "of another person", "empty", "not ASCII", "unequal"]
)
def test_a_pair_that_is_not_of_the_session_is_refused(ada: Api, bob: Api, kind: str) -> None:
    """Whoever can set a cookie here, from a neighbouring host name say, could bring a pair along."""
    cookies = cookie_login(ada, "ada")
    other = cookie_login(ada, "bob" if kind == "of another person" else "ada")["fuze_csrf"]
    pair = {"made up": "x" * 43, "empty": "", "not ASCII": "\u00fc" * 43}.get(kind, other)
    cookie = cookies["fuze_csrf"] if kind == "unequal" else pair
    assert refresh_by_cookie(ada, cookies["fuze_refresh"], cookie, pair).status_code == 403
    right = refresh_by_cookie(ada, cookies["fuze_refresh"], cookies["fuze_csrf"], cookies["fuze_csrf"])
    assert right.status_code == 200
    # It is the session's as long as this lasts, whichever tab reads it.
    assert cookies_of(right)["fuze_csrf"].split(";")[0] == f"fuze_csrf={cookies['fuze_csrf']}"


@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_a_cookie_that_is_no_refresh_token_is_401(ada: Api, token: str) -> None:
    assert refresh_by_cookie(ada, token, "x", "x").status_code == 401


def test_pairs_outlive_a_change_of_the_key_that_is_still_known(ada: Api, settings: Settings) -> None:
    cookies = cookie_login(ada, "ada")
    changed = settings.model_copy(
        update={"SECRET_KEY": SecretStr("n" * 48), "PREVIOUS_SECRET_KEYS": [settings.SECRET_KEY]}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ada.app.extensions, "settings", changed)
        answer = refresh_by_cookie(ada, cookies["fuze_refresh"], cookies["fuze_csrf"], cookies["fuze_csrf"])
        assert answer.status_code == 200
        assert cookies_of(answer)["fuze_csrf"].split(";")[0] != f"fuze_csrf={cookies['fuze_csrf']}"


def test_a_refresh_without_any_token_is_401(anonymous: Api) -> None:
    assert anonymous.post("/auth/refresh", {}).status_code == 401
    assert anonymous.request("POST", "/auth/refresh").status_code == 401
    empty = anonymous.request("POST", "/auth/refresh", headers={"Content-Type": "application/json"})
    assert empty.status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "fz_0000000000", "\U0001f680", "x" * 4096])
def test_what_is_no_refresh_token_is_401_and_says_what_to_do(anonymous: Api, token: str) -> None:
    answer = refresh(anonymous, token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["detail"] == service.NOT_REFRESHED


@pytest.mark.parametrize(("seconds", "status"), [(-5, 200), (5, 200), (60, 401)])
def test_a_token_may_come_from_a_server_whose_clock_is_a_little_ahead(ada: Api, seconds: int, status: int) -> None:
    key = ada.app.config["JWT_SECRET_KEY"]
    claims = jwt.decode(ada.token, key, algorithms=["HS256"])
    made = {**claims, "iat": claims["iat"] + seconds, "nbf": claims["nbf"] + seconds}
    assert Api(ada.app, token=jwt.encode(made, key)).get("/profile").status_code == status


def test_a_token_ends_when_it_says_on_every_clock(ada: Api) -> None:
    key = ada.app.config["JWT_SECRET_KEY"]
    claims = jwt.decode(ada.token, key, algorithms=["HS256"])
    over = jwt.encode({**claims, "exp": int(time.time())}, key)
    assert Api(ada.app, token=over).get("/profile").status_code == 401
