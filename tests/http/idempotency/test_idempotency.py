"""Idempotency-Key (API.md, Conventions): what is sent twice is done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.bookmarks import routes, service
from backend.errors import Unavailable
from backend.extensions import db
from backend.http.idempotency.jobs import purge_idempotency_keys
from backend.http.idempotency.models import IdempotencyKey
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

PAGE = {"url": "https://example.org/", "title": "One", "capture": False}


def send(api: Api, body: Any = PAGE, key: str = "k1", path: str = "/bookmarks", **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.request("POST", path, json=body, headers={"Idempotency-Key": key, **given})


def run(statement: str) -> None:
    db.session.execute(text(statement))
    db.session.commit()


def test_the_second_gets_the_answer_of_the_first_byte_for_byte(ada: Api) -> None:
    first = send(ada)
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    ada.patch(f"/bookmarks/{first.json['id']}", {"title": "Changed since"})
    second = send(ada)
    assert (second.status_code, second.data) == (201, first.data)
    assert second.headers["Idempotent-Replayed"] == "true"
    for name in ("Location", "Content-Type"):
        assert second.headers[name] == first.headers[name]


def test_a_token_is_made_once_told_twice_and_stored_encrypted(ada: Api, context: Flask) -> None:
    body = {"name": "script", "scopes": ["*:read"]}
    first, second = (send(ada, body, path="/auth/tokens") for _ in range(2))
    assert first.json["token"] == second.json["token"]
    assert ada.get("/auth/tokens").json["total"] == 1
    stored = db.session.scalar(db.select(IdempotencyKey.body))
    assert first.json["token"].encode() not in stored


@pytest.mark.parametrize(
    "other",
    [
        {"body": {**PAGE, "title": "Two"}},
        {"path": "/bookmarks?on_duplicate=keep"},
    ],
)
def test_a_key_is_for_one_request_only(ada: Api, other: dict[str, Any]) -> None:
    assert send(ada).status_code == 201
    assert field_errors(send(ada, **other)) == {"header.Idempotency-Key": "key_reused"}


def test_keys_of_others_and_of_other_paths_are_other_keys(ada: Api, bob: Api) -> None:
    assert send(ada).status_code == send(bob).status_code == 201
    bulk = send(ada, {"items": [PAGE]}, path="/bookmarks/bulk")
    assert bulk.status_code == 200
    assert "Idempotent-Replayed" not in bulk.headers


def test_another_organization_is_another_request(ada: Api) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    assert send(ada).status_code == 201
    assert field_errors(send(ada, X_Organization_ID=str(team))) == {"header.Idempotency-Key": "key_reused"}


def script(person: Api, organization: int, *scopes: str) -> Api:
    body = {"name": "script", "scopes": list(scopes), "organization_id": organization}
    return Api(person.app, token=person.post("/auth/tokens", body).json["token"])


def test_a_credential_that_sees_other_things_gets_no_answer_of_another(ada: Api) -> None:
    """In whatever order they come; those that see the same are one."""
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    given = [(team, "*:read", "*:write"), (team, "organizations:write"), (ada.organization_id, "*:read", "*:write")]
    credentials = [ada, *(script(ada, *scopes) for scopes in given)]
    for number, first in enumerate(credentials):
        sent = {"body": {"name": f"Of {number}"}, "key": f"key-{number}", "path": "/organizations"}
        assert send(first, **sent).status_code == 201
        for other in credentials:
            answer = send(other, **sent)
            if other is first:
                assert answer.headers["Idempotent-Replayed"] == "true"
            else:
                assert field_errors(answer) == {"header.Idempotency-Key": "key_reused"}
    same = [script(ada, *given[0]), script(ada, given[0][0], "*:write", "*:read")]
    sent = {"body": {"name": "Of 1"}, "key": "key-1", "path": "/organizations"}
    assert [send(one, **sent).headers["Idempotent-Replayed"] for one in same] == ["true", "true"]


@pytest.mark.parametrize("role", ["editor", "viewer", None])
def test_who_has_another_role_now_is_not_told_what_the_former_one_was(
    ada: Api, bob: Api, context: Flask, role: str | None
) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    run(f"INSERT INTO memberships (organization_id, user_id, role) VALUES ({team}, {bob.user_id}, 'owner')")
    path, body = f"/organizations/{team}/invitations", {"email": "new@example.org", "role": "viewer"}
    for replayed in (None, "true"):
        answer = send(bob, body, path=path)
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, replayed)
    member = f"/organizations/{team}/members/{bob.user_id}"
    changed = ada.patch(member, {"role": role}) if role else ada.delete(member)
    assert changed.status_code < 300
    answer = send(bob, body, path=path)
    # What was remembered for the former role is gone: it is a request like any other.
    assert answer.status_code == (403 if role else 404)
    assert "new@example.org" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * 256])
def test_what_is_no_key_is_refused(ada: Api, key: str) -> None:
    assert field_errors(send(ada, key=key)) == {"header.Idempotency-Key": "malformed"}


def test_a_refused_request_may_be_tried_again(ada: Api) -> None:
    assert send(ada, {"url": "nothing"}).status_code == 422
    assert send(ada).status_code == 201


def test_while_the_first_still_runs_the_others_are_told(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    running, go_on = threading.Event(), threading.Event()
    save = service.save_bookmark

    def slow(*arguments: Any) -> Any:
        running.set()
        assert go_on.wait(10)
        return save(*arguments)

    monkeypatch.setattr(routes.service, "save_bookmark", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, ada)
        assert running.wait(10)
        other = Api(ada.app, token=ada.token)
        assert send(other).status_code == 409
        go_on.set()
        assert first.result().status_code == 201
    assert send(other).headers["Idempotent-Replayed"] == "true"


def test_of_twenty_at_once_one_does_the_work(ada: Api) -> None:
    body = {"items": [{"url": "https://example.org/", "capture": False}]}
    start = threading.Barrier(20)

    def ask(_: int) -> TestResponse:
        api = Api(ada.app, token=ada.token)
        start.wait()
        return send(api, body, path="/bookmarks/bulk")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    done = [answer.json for answer in answers if answer.status_code == 200]
    assert {one["created"] for one in done} == {1}


def test_a_fault_before_the_commit_releases_the_key(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(routes.service, "save_bookmark", fail)
        assert send(ada).status_code == 503
    assert send(ada).status_code == 201


def test_a_process_that_died_before_the_commit_is_waited_for_no_longer_than_its_claim(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in(ada, monkeypatch, before_commit=True)
    assert send(ada).status_code == 409
    run("UPDATE idempotency_keys SET claimed_until = now() - interval '1 second'")
    assert send(ada).status_code == 201


def test_what_was_done_before_a_process_died_is_not_done_again(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in(ada, monkeypatch, before_commit=False)
    run("UPDATE idempotency_keys SET claimed_until = now() - interval '1 second'")
    again = send(ada)
    assert again.status_code == 409
    assert "carried out" in again.json["detail"]
    assert ada.get("/bookmarks").json["total"] == 1


class Death(BaseException):
    """The process ends here: nothing after it runs."""


def die_in(api: Api, monkeypatch: pytest.MonkeyPatch, *, before_commit: bool) -> None:
    save = service.save_bookmark

    def die(*arguments: Any) -> Any:
        if not before_commit:
            save(*arguments)
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(routes.service, "save_bookmark", die)
        with pytest.raises(Death):
            send(api)
    db.session.rollback()


def test_keys_are_forgotten_after_a_day(ada: Api, context: Flask) -> None:
    first = send(ada)
    run("UPDATE idempotency_keys SET created_at = now() - interval '23 hours'")
    purge_idempotency_keys()
    assert send(ada).data == first.data
    run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    again = send(ada, {**PAGE, "title": "Two"})
    assert "Idempotent-Replayed" not in again.headers
    run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    purge_idempotency_keys()
    assert db.session.scalar(text("SELECT count(*) FROM idempotency_keys")) == 0


def test_a_key_costs_three_statements_more_and_a_replay_two_in_all(ada: Api, sql: SqlCounter) -> None:
    ada.save("https://example.org/other")
    sql.clear()
    ada.post("/bookmarks", {**PAGE, "url": "https://example.org/plain"})
    plain = len(sql.statements)
    with sql.at_most(plain + 3):
        send(ada)
    with sql.at_most(2):
        send(ada)
