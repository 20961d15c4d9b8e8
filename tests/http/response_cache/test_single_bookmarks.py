"""R-CACHE 3: what an answer says about a bookmark answers other questions too, and is as little ever an old answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.http import pipeline
from backend.http.response_cache import store as answers
from backend.http.response_cache.flask_caching_backend import CacheBackend
from tests.organizations.teams import make_team, settle, write
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
LINK = "https://example.org/a"
# All that JSON has to escape, and much that it has not.
ODD = "".join(chr(code) for code in range(1, 0x180)) + "\u2028\u2029 \U0001f600 e\u0301 \ud7ff \ufffd </script>"


def lookup(api: Api, url: str = LINK) -> TestResponse:
    return api.request("GET", f"/bookmarks/lookup?url={quote(url, safe='')}")


def item(api: Api, id_: int) -> TestResponse:
    return api.request("GET", f"/bookmarks/{id_}")


def test_who_has_listed_bookmarks_reads_and_finds_each_without_sql(
    ada: Api, app: Flask, sql: SqlCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ada.post("/projects", {"name": "P"}).json["id"]
    saved = [
        ada.save(f"{LINK}/{number}", title=ODD, notes=ODD, tags=[f"t{number}"], project_ids=[project])
        for number in range(3)
    ]
    ada.delete(f"/bookmarks/{saved[2]['id']}")
    app.extensions["resilient_redis"].client.flushall()
    ada.get("/profile")
    ada.get("/bookmarks")
    ada.get("/bookmarks", deleted="true")
    read: list[Callable[[], TestResponse]] = []
    for one in saved[:2]:
        read += [lambda one=one: item(ada, one["id"]), lambda one=one: lookup(ada, one["url"])]
    with sql.at_most(0):
        kept = [get() for get in read]
    assert [answer.status_code for answer in kept] == [200] * 4
    assert item(ada, saved[2]["id"]).status_code == lookup(ada, saved[2]["url"]).status_code == 404
    monkeypatch.setattr(app.extensions["settings"], "ENABLE_CACHING", False)
    made = [get() for get in read]
    assert [(answer.data, answer.headers["ETag"]) for answer in kept] == [
        (answer.data, answer.headers["ETag"]) for answer in made
    ]


def test_a_link_is_found_by_each_of_its_spellings_and_read_by_its_id(ada: Api, sql: SqlCounter) -> None:
    saved = ada.save(LINK)
    app_wide = ada.app.extensions["resilient_redis"].client
    app_wide.flushall()
    ada.get("/profile")
    assert lookup(ada).json == saved
    with sql.at_most(0):
        assert lookup(ada, "http://www.EXAMPLE.org/a/?utm_source=x#top").json == saved
        assert item(ada, saved["id"]).json == saved
        etag = lookup(ada).headers["ETag"]
        assert ada.request("GET", f"/bookmarks/lookup?url={LINK}", headers={"If-None-Match": etag}).status_code == 304
    for bad in ("", "?url=nonsense", f"?url={LINK}&url={LINK}", f"?url={LINK}&other=1", "?url=https://%00"):
        assert ada.request("GET", f"/bookmarks/lookup{bad}").status_code == 422


Change = Callable[[Api, dict[str, Any]], TestResponse]
CHANGES: dict[str, Change] = {
    "patch": lambda api, one: api.patch(f"/bookmarks/{one['id']}", {"title": "new"}),
    "tags": lambda api, one: api.patch(f"/bookmarks/{one['id']}", {"tags": ["new"]}),
    "merge": lambda api, one: api.post("/bookmarks", {"url": LINK, "tags": ["more"], "capture": False}),
    "bulk": lambda api, one: api.post("/bookmarks/bulk", {"items": [{"url": LINK, "tags": ["more"]}]}),
    "action": lambda api, one: api.post("/bookmarks/actions", {"ids": [one["id"]], "action": "read"}),
    "rename": lambda api, one: api.patch(f"/tags/{api.get('/tags').json['items'][0]['id']}", {"name": "renamed"}),
    "project": lambda api, one: api.delete(f"/projects/{one['project_ids'][0]}"),
    "capture": lambda api, one: api.post(f"/bookmarks/{one['id']}/capture"),
    "restore": lambda api, one: (
        api.delete(f"/bookmarks/{one['id']}"),
        api.post(f"/bookmarks/{one['id']}/restore"),
    )[1],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_who_has_seen_a_change_end_reads_and_finds_it(ada: Api, change: Change) -> None:
    project = ada.post("/projects", {"name": "P"}).json["id"]
    one = ada.save(LINK, tags=["t"], project_ids=[project])
    other = ada.save(f"{LINK}/other")
    before = item(ada, one["id"]).data, lookup(ada).data
    ada.get("/bookmarks")
    assert change(ada, one).status_code < 300
    after = item(ada, one["id"]).data, lookup(ada).data
    assert after[0] == after[1] != before[0] == before[1]
    assert ada.request("GET", f"/bookmarks/{one['id']}?").data == after[0]
    assert item(ada, other["id"]).json == lookup(ada, other["url"]).json == other


def test_a_link_that_is_changed_or_deleted_is_not_found_any_more(ada: Api) -> None:
    saved = ada.save(LINK)
    assert lookup(ada).json["id"] == saved["id"]
    assert ada.patch(f"/bookmarks/{saved['id']}", {"url": f"{LINK}/new"}).status_code == 200
    assert lookup(ada).status_code == 404
    assert lookup(ada, f"{LINK}/new").json["id"] == saved["id"]
    again = ada.save(LINK)
    assert lookup(ada).json["id"] == again["id"]
    for query in ({}, {"permanent": "true"}):
        assert ada.delete(f"/bookmarks/{again['id']}", **query).status_code == 204
        assert lookup(ada).status_code == item(ada, again["id"]).status_code == 404


@pytest.mark.parametrize("verb", ["create", "patch", "restore"])
def test_who_writes_has_the_next_answer_already_and_others_the_truth(
    ada: Api, bob: Api, sql: SqlCounter, verb: str
) -> None:
    team = make_team(ada)
    join = "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'editor')"
    write(ada, join, user=bob.user_id, team=team)
    there = {"X-Organization-ID": str(team)}
    settle(ada, bob)
    if verb == "create":
        answer = ada.post("/bookmarks", {"url": LINK, "tags": ["t"], "capture": False}, headers=there)
    else:
        saved = ada.post("/bookmarks", {"url": LINK, "capture": False}, headers=there).json
        bob.request("GET", f"/bookmarks/{saved['id']}", headers=there)
        if verb == "patch":
            answer = ada.patch(f"/bookmarks/{saved['id']}", {"is_favorite": True, "title": "new"}, headers=there)
        else:
            ada.request("DELETE", f"/bookmarks/{saved['id']}", headers=there)
            answer = ada.post(f"/bookmarks/{saved['id']}/restore", headers=there)
    assert answer.status_code in (200, 201)
    paths = [f"/bookmarks/{answer.json['id']}", f"/bookmarks/lookup?url={LINK}"]
    with sql.at_most(0):
        for path in paths:
            assert ada.request("GET", path, headers=there).data == answer.data
    for path in paths:
        assert bob.request("GET", path, headers=there).json == answer.json


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_the_answer_to_a_write_is_not_kept_over_that_of_a_later_one(
    ada: Api, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Between its commit and its announcement another write has come and gone."""
    ada.get("/profile")
    saved = ada.save(f"{LINK}/first")
    invalidate = pipeline.invalidate_written

    def invalidate_late(*arguments: Any) -> None:
        monkeypatch.setattr(pipeline, "invalidate_written", invalidate)
        id_ = arguments[4].get_json()["id"]
        assert Api(ada.app, token=ada.token).patch(f"/bookmarks/{id_}", {"title": "later"}).status_code == 200
        invalidate(*arguments)

    monkeypatch.setattr(pipeline, "invalidate_written", invalidate_late)
    if verb == "create":
        answer = ada.post("/bookmarks", {"url": LINK, "title": "earlier", "capture": False})
    else:
        answer = ada.patch(f"/bookmarks/{saved['id']}", {"title": "earlier"})
    assert answer.json["title"] == "earlier"
    assert item(ada, answer.json["id"]).json["title"] == "later"
    assert lookup(ada, answer.json["url"]).json["title"] == "later"


def test_a_change_that_is_announced_while_a_write_runs_is_not_lost_in_its_answer(
    ada: Api, monkeypatch: pytest.MonkeyPatch, context: Flask
) -> None:
    """The write has read what was true before another change was committed and announced."""
    saved = ada.save(LINK, tags=["old"])
    tag = ada.get("/tags").json["items"][0]["id"]
    replay_or_run = pipeline.replay_or_run

    def replay_late(*arguments: Any) -> Any:
        response = replay_or_run(*arguments)
        monkeypatch.setattr(pipeline, "replay_or_run", replay_or_run)
        assert Api(ada.app, token=ada.token).patch(f"/tags/{tag}", {"name": "new"}).status_code == 200
        return response

    monkeypatch.setattr(pipeline, "replay_or_run", replay_late)
    assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "x"}).json["tags"] == ["old"]
    assert item(ada, saved["id"]).json["tags"] == lookup(ada).json["tags"] == ["new"]


def test_what_was_answered_to_the_first_of_two_is_not_kept_again(ada: Api) -> None:
    body, key = {"url": LINK, "title": "old", "capture": False}, {"headers": {"Idempotency-Key": "one"}}
    first = ada.post("/bookmarks", body, **key)
    assert ada.patch(f"/bookmarks/{first.json['id']}", {"title": "new"}).status_code == 200
    again = ada.post("/bookmarks", body, **key)
    assert (again.headers["Idempotent-Replayed"], again.json["title"]) == ("true", "old")
    assert item(ada, first.json["id"]).json["title"] == lookup(ada).json["title"] == "new"


@pytest.mark.parametrize("question", ["list", "lookup"])
def test_what_was_read_before_a_write_is_not_kept_for_a_bookmark_after_it(
    ada: Api, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    saved = ada.save(LINK, title="old")
    ada.app.extensions["resilient_redis"].client.flushall()
    ada.get("/profile")
    keep = answers.store_response

    def keep_late(*arguments: Any) -> None:
        monkeypatch.setattr(CacheBackend, "store_response", staticmethod(keep))
        ada.patch(f"/bookmarks/{saved['id']}", {"title": "new"})
        keep(*arguments)

    monkeypatch.setattr(CacheBackend, "store_response", staticmethod(keep_late))
    found = ada.get("/bookmarks").json["items"][0] if question == "list" else lookup(ada).json
    assert found["title"] == "old"
    assert item(ada, saved["id"]).json["title"] == lookup(ada).json["title"] == "new"
    assert ada.titles() == ["new"]


# Tags and tasks.


def test_tags_are_kept_while_nothing_of_them_changes(ada: Api, sql: SqlCounter) -> None:
    saved = ada.save(LINK, tags=["t"])
    task = ada.post("/tasks", {"title": "T"}).json["id"]
    ada.get("/tags")
    leaving: list[TestResponse] = [
        ada.patch(f"/bookmarks/{saved['id']}", {"is_favorite": True, "title": "x", "url": f"{LINK}/b"}),
        ada.post("/bookmarks", {"url": f"{LINK}/other", "capture": False}),
        ada.post(f"/bookmarks/{saved['id']}/capture"),
        ada.patch(f"/tasks/{task}", {"status": "done"}),
        ada.delete(f"/tasks/{task}"),
    ]
    assert [answer.status_code for answer in leaving] == [200, 201, 202, 200, 204]
    with sql.at_most(0):
        assert ada.get("/tags").json["items"][0]["bookmark_count"] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda api, one: api.patch(f"/bookmarks/{one['id']}", {"tags": ["u"]}), {"t": 0, "u": 1}),
        (lambda api, one: api.patch(f"/bookmarks/{one['id']}", {"tags": []}), {"t": 0}),
        (lambda api, one: api.post("/bookmarks", {"url": LINK, "tags": ["u"]}), {"t": 1, "u": 1}),
        (lambda api, one: api.post("/bookmarks", {"url": f"{LINK}/b", "tags": ["t"]}), {"t": 2}),
        (lambda api, one: api.post("/bookmarks/bulk", {"items": [{"url": f"{LINK}/b", "tags": ["t"]}]}), {"t": 2}),
        (lambda api, one: api.delete(f"/bookmarks/{one['id']}"), {"t": 0}),
        (lambda api, one: api.delete(f"/bookmarks/{one['id']}", permanent="true"), {"t": 0}),
        (lambda api, one: api.post("/bookmarks/actions", {"ids": [one["id"]], "action": "delete"}), {"t": 0}),
        (
            lambda api, one: api.post("/bookmarks/actions", {"ids": [one["id"]], "action": "add_tags", "tags": ["u"]}),
            {"t": 1, "u": 1},
        ),
    ],
)
def test_who_has_seen_tags_change_sees_them(
    ada: Api, change: Callable[[Api, dict[str, Any]], TestResponse], expected: dict[str, int]
) -> None:
    one = ada.save(LINK, tags=["t"])
    ada.get("/tags")
    assert change(ada, one).status_code < 300
    assert {tag["name"]: tag["bookmark_count"] for tag in ada.get("/tags").json["items"]} == expected


def test_a_restored_bookmark_is_counted_again(ada: Api) -> None:
    one = ada.save(LINK, tags=["t"])
    ada.delete(f"/bookmarks/{one['id']}")
    assert ada.get("/tags").json["items"][0]["bookmark_count"] == 0
    ada.post(f"/bookmarks/{one['id']}/restore")
    assert ada.get("/tags").json["items"][0]["bookmark_count"] == 1


def test_a_change_of_tasks_leaves_bookmarks_alone(ada: Api, sql: SqlCounter, context: Flask) -> None:
    ada.get("/profile")
    one = ada.save(LINK)
    task = ada.post("/tasks", {"title": "T"}).json["id"]
    ada.get("/tasks")
    assert ada.patch(f"/tasks/{task}", {"title": "U"}).status_code == 200
    with sql.at_most(0):
        assert item(ada, one["id"]).status_code == lookup(ada).status_code == 200
    assert ada.get("/tasks").json["items"][0]["title"] == ada.get(f"/tasks/{task}").json["title"] == "U"
    assert db.session.scalar(text("SELECT count(*) FROM tasks")) == 1
