"""Deleting an account: at once for people, by and by in the tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from backend.actor import Actor
from backend.ai.llm.usage import record_usage, reserve_tokens
from backend.extensions import Base, db
from backend.jobs.queue import waiting_keys
from backend.profile import deletion
from backend.profile.deletion import is_removal_due, remove_deleted
from backend.profile.jobs import remove_deleted_accounts, resend_removals
from backend.redis.client import redis_client
from backend.search.recent import recent_searches, store_search
from tests.profile.teams import make_team
from tests.support.api import PASSWORD, Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def delete(person: Api, password: str = PASSWORD) -> int:
    return person.request("DELETE", "/profile", json={"password": password}).status_code


def rows(statement: str) -> list[object]:
    db.session.rollback()
    return list(db.session.scalars(text(statement)))


def test_a_wrong_password_deletes_nothing(ada: Api) -> None:
    answer = ada.request("DELETE", "/profile", json={"password": "wrong"})
    assert field_errors(answer) == {"body.password": "wrong_password"}
    assert ada.get("/profile").status_code == 200


def test_a_deleted_account_is_dead_at_once_and_its_name_is_free(ada: Api, anonymous: Api) -> None:
    other = Api(ada.app, session=anonymous.post("/auth/login", {"login": "ada", "password": PASSWORD}).json)
    assert delete(ada) == 204
    for dead in (ada, other):
        assert dead.get("/profile").status_code == 401
        assert dead.post("/auth/refresh", {"refresh_token": dead.session["refresh_token"]}).status_code == 401
    deleted = f"deleted {ada.user_id}"
    for login, password in (("ada", PASSWORD), ("ada@example.org", PASSWORD), (deleted, PASSWORD), (deleted, "")):
        assert anonymous.post("/auth/login", {"login": login, "password": password}).status_code == 401
    again = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}
    assert anonymous.post("/auth/register", again).status_code == 201


def test_what_the_person_searched_for_is_forgotten_in_every_organization(ada: Api, bob: Api, context: Flask) -> None:
    places = [ada.organization_id, make_team("Shared", owner=bob, editor=ada)]
    for number in places:
        store_search(Actor(ada.user_id, number, "editor"), "private matters")
        store_search(Actor(bob.user_id, number, "editor"), "other matters")
    assert delete(ada) == 204
    for number in places:
        assert recent_searches(Actor(ada.user_id, number, "editor"), "", 9) == []
    assert recent_searches(Actor(bob.user_id, places[1], "editor"), "", 9) == ["other matters"]


def test_nothing_of_the_account_is_left_once_the_worker_has_run(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Shared", owner_a=ada, owner_b=bob)
    for number in range(5):
        ada.save(f"https://example.org/{number}", tags=["one", f"tag {number}"])
    kept = bob.save("https://example.org/bob")
    in_team = ada.request(
        "POST", "/bookmarks", json={"url": "https://example.org/team"}, headers={"X-Organization-ID": str(team)}
    ).json
    parent = ada.post("/tasks", {"title": "Parent"}).json["id"]
    ada.post("/tasks", {"title": "Step", "parent_id": parent})
    task = ada.post("/tasks", {"title": "In the team"}, headers={"X-Organization-ID": str(team)}).json
    ada.put("/profile/ai", {"base_url": "https://llm.example.org/v1", "model": "m", "api_key": "sk-something-long"})
    record_usage(
        reserve_tokens(ada.user_id, is_servers=True, tokens=9, seconds=60),
        calls=1,
        prompt_tokens=7,
        completion_tokens=2,
    )
    ada.post("/profile/export")
    assert delete(ada) == 204
    assert "ai_providers" in Base.metadata.tables
    assert rows("SELECT count(*) FROM ai_providers") == [0]
    assert remove_deleted(60)
    assert rows("SELECT id FROM users") == [bob.user_id]
    assert rows("SELECT id FROM organizations ORDER BY id") == [bob.organization_id, team]
    assert rows("SELECT id FROM bookmarks ORDER BY id") == [kept["id"], in_team["id"]]
    assert rows("SELECT user_id FROM bookmarks ORDER BY id") == [bob.user_id, None]
    assert rows("SELECT id FROM tasks") == [task["id"]]
    assert rows("SELECT user_id FROM tasks") == [None]
    for table in ("sessions", "memberships"):
        assert set(rows(f"SELECT user_id FROM {table}")) == {bob.user_id}
    for table in ("jobs", "tags", "exports", "ai_providers", "llm_usage"):
        assert rows(f"SELECT count(*) FROM {table}") == [0]
    assert rows("SELECT kind FROM security_events WHERE user_id IS NULL") == ["account_deleted"]


def test_teams_that_the_person_owns_alone_come_first(ada: Api, bob: Api, context: Flask) -> None:
    alone = make_team("Alone", owner=ada, editor=bob)
    shared = make_team("Shared", owner_a=ada, owner_b=bob)
    make_team("Bob's", owner=bob, editor=ada)
    answer = ada.request("DELETE", "/profile", json={"password": PASSWORD})
    assert answer.status_code == 409
    assert f"Alone (id {alone})" in answer.json["detail"]
    assert f"id {shared}" not in answer.json["detail"]
    assert "Bob's" not in answer.json["detail"]
    assert ada.get("/profile").status_code == 200
    db.session.execute(text("UPDATE memberships SET role = 'owner' WHERE organization_id = :id"), {"id": alone})
    db.session.commit()
    assert delete(ada) == 204


def test_of_two_owners_who_leave_at_once_one_must_stay(ada: Api, bob: Api, context: Flask) -> None:
    make_team("Shared", owner_a=ada, owner_b=bob)
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(delete, (ada, bob)))
    assert sorted(statuses) == [204, 409]
    assert rows("SELECT count(*) FROM memberships WHERE role = 'owner' AND organization_id > 2") == [1]


def test_two_deletions_at_once_are_one(ada: Api, context: Flask) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: delete(ada), range(4)))
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 401, 422}


def test_removal_goes_in_batches_and_can_be_broken_off(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH", 2)
    for number in range(5):
        ada.save(f"https://example.org/{number}")
    delete(ada)
    assert is_removal_due()
    assert remove_deleted(0) is False
    organization = {"owner": ada.organization_id, "batch": 2}
    assert db.session.execute(deletion.DELETE_BOOKMARKS, organization).rowcount == 2
    db.session.commit()
    assert rows("SELECT count(*) FROM bookmarks") == [3]
    assert remove_deleted(60) is True
    assert rows("SELECT count(*) FROM users") == [0]
    assert not is_removal_due()


def test_two_workers_at_once_do_not_disturb_each_other(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH", 3)
    for person in (ada, bob):
        for number in range(20):
            person.save(f"https://example.org/{number}")
        delete(person)

    def remove(_: int) -> bool:
        with context.app_context():
            return remove_deleted(60)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(remove, range(3))) == [True] * 3
    assert rows("SELECT count(*) FROM users") == [0]
    assert rows("SELECT count(*) FROM bookmarks") == [0]


def test_a_lost_message_is_sent_again_until_all_is_gone(ada: Api, context: Flask) -> None:
    delete(ada)
    redis_client().flushall()
    resend_removals()
    assert len(waiting_keys("bulk")) == 1
    remove_deleted_accounts()
    assert rows("SELECT count(*) FROM users") == [0]
    redis_client().flushall()
    resend_removals()
    assert waiting_keys("bulk") == set()
