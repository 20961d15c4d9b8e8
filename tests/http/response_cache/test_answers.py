"""R-CACHE: answers are kept, found without SQL, made once for many, never served once what they show has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any, cast

import pytest
from backports import zstd
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.bookmarks.jobs import purge_trash
from backend.extensions import db
from backend.http.response_cache import store as answers
from backend.http.response_cache.flask_caching_backend import CacheBackend
from backend.redis.resilient import ResilientRedis
from tests.support.api import Api
from tests.support.factories import unreachable_gate
from tests.support.processes import eventually
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture
def gate(app: Flask) -> ResilientRedis:
    return cast(ResilientRedis, app.extensions["resilient_redis"])


@pytest.fixture
def trips(gate: ResilientRedis, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many commands went in each round trip."""
    found: list[int] = []
    send = gate._pipe

    def count(commands: Any) -> Any:
        found.append(len(commands))
        return send(commands)

    monkeypatch.setattr(gate, "_pipe", count)
    return found


def ask(api: Api, path: str, **headers: str) -> TestResponse:
    return api.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def paths(api: Api) -> list[str]:
    saved = api.save("https://example.org/a", title="A", tags=["t"])
    project = api.post("/projects", {"name": "P"}).json["id"]
    api.put(f"/projects/{project}/bookmarks/{saved['id']}", {})
    task = api.post("/tasks", {"title": "T", "project_id": project}).json["id"]
    return [
        "/projects",
        f"/projects/{project}",
        f"/projects/{project}/bookmarks",
        "/tasks",
        f"/tasks?project_id={project}",
        f"/tasks/{task}",
        "/bookmarks",
        "/bookmarks?tag=t&page_size=5",
        f"/bookmarks/{saved['id']}",
        "/bookmarks/lookup?url=https://example.org/a",
        "/tags",
        "/profile",
        "/organizations",
        f"/organizations/{api.organization_id}",
    ]


def test_what_was_asked_before_takes_no_sql_and_one_round_trip(ada: Api, sql: SqlCounter, trips: list[int]) -> None:
    for path in paths(ada):
        first = ask(ada, path)
        trips.clear()
        with sql.at_most(0):
            second = ask(ada, path)
        assert trips == [1], path
        assert (second.status_code, second.data) == (200, first.data)
        assert second.headers["ETag"] == first.headers["ETag"]
        assert second.mimetype == "application/json"


def test_who_has_the_answer_gets_none(ada: Api, sql: SqlCounter) -> None:
    for path in paths(ada):
        etag = ask(ada, path).headers["ETag"]
        with sql.at_most(0):
            answer = ask(ada, path, If_None_Match=f'"other", {etag}')
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_the_short_way_says_the_same_as_the_long_one(ada: Api, trips: list[int]) -> None:
    """`Content-Encoding: identity` changes nothing, but leaves the request to Flask."""
    for path in paths(ada):
        ask(ada, path)
        for given in ({}, {"If_None_Match": "*"}):
            trips.clear()
            short, long = ask(ada, path, **given), ask(ada, path, Content_Encoding="identity", **given)
            assert trips == [1, 1]
            assert (short.status_code, short.data) == (long.status_code, long.data)
            here, there = (dict(answer.headers) for answer in (short, long))
            assert here.pop("X-Request-ID") != there.pop("X-Request-ID")
            assert {part.strip() for part in here.pop("Vary").split(",")} == {
                part.strip() for part in there.pop("Vary").split(",")
            }
            assert here == there


ORIGIN = {"Origin": "https://app.example.org"}
BROWSER = {"Accept_Encoding": "gzip, deflate, br, zstd", **ORIGIN}


def test_encoded_responses_and_those_to_other_origins_take_no_sql_and_one_round_trip(
    ada: Api, sql: SqlCounter, trips: list[int]
) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/', description='long ' * 400)['id']}"
    ask(ada, path)
    for given, coding in (({"Accept_Encoding": "br"}, "br"), (ORIGIN, None), (BROWSER, "zstd")):
        # The first hit in a coding stores the variant.
        ask(ada, path, **given)
        trips.clear()
        with sql.at_most(0):
            answer = ask(ada, path, **given)
        assert trips == [1]
        assert answer.headers.get("Content-Encoding") == coding
        assert ("Access-Control-Allow-Origin" in answer.headers) == ("Origin" in given)


def test_the_fast_path_serves_browsers_what_flask_does(ada: Api, trips: list[int]) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/', description='long ' * 400)['id']}"
    plain = ask(ada, path)
    etag = plain.headers["ETag"]
    for coding, name in product(("zstd", "br", "gzip", "identity", "gzip;q=0.5, identity;q=0"), (None, etag, "*")):
        given = {"Accept_Encoding": coding, **ORIGIN} | ({"If_None_Match": name} if name else {})
        ask(ada, path, **given)
        trips.clear()
        short, long = ask(ada, path, **given), ask(ada, path, Content_Encoding="identity", **given)
        assert trips == [1, 1]
        assert (short.status_code, short.data) == (long.status_code, long.data)
        here, there = (dict(answer.headers) for answer in (short, long))
        assert here.pop("X-Request-ID") != there.pop("X-Request-ID")
        here["Vary"], there["Vary"] = ("".join(sorted(headers["Vary"].split(", "))) for headers in (here, there))
        assert here == there


def test_origins_that_are_not_allowed_are_told_nothing_by_the_fast_path(ada: Api, trips: list[int]) -> None:
    ask(ada, "/bookmarks")
    trips.clear()
    for origin in ("https://evil.example.org", "null", "https://app.example.org/"):
        answer = ask(ada, "/bookmarks", Origin=origin)
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]
        assert "Origin" in answer.headers["Vary"]
    assert trips == [1, 1, 1]


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_an_encoded_variant_is_valid_as_long_as_the_identity(ada: Api, coding: str, gate: ResilientRedis) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/', description='long ' * 400)['id']}"
    ask(ada, path)
    for _ in range(2):
        first = ask(ada, path, Accept_Encoding=coding)
    assert first.headers["ETag"] == f'{ask(ada, path).headers["ETag"][:-1]}:{coding}"'
    [variant] = gate.client.scan_iter(f"fuze:*:response:bookmark:*:{coding}")
    assert gate.client.ttl(variant) <= gate.client.ttl(variant.removesuffix(f":{coding}".encode()))
    head = ada.request("HEAD", path.removeprefix("/api/v1"), headers={"Accept-Encoding": coding})
    assert (head.data, head.content_length) == (b"", len(first.data))
    assert {name: head.headers[name] for name in ("ETag", "Content-Encoding")} == {
        name: first.headers[name] for name in ("ETag", "Content-Encoding")
    }
    changed = ada.request("PATCH", path, json={"title": "new"}, headers={"If-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    second = ask(ada, path, Accept_Encoding=coding)
    assert second.headers["ETag"] != first.headers["ETag"]
    assert second.data != first.data
    assert (
        ada.request("PATCH", path, json={"title": "x"}, headers={"If-Match": first.headers["ETag"]}).status_code == 412
    )


def test_a_miss_stores_the_variant_that_was_asked_for(ada: Api, sql: SqlCounter, trips: list[int]) -> None:
    for number in range(5):
        ada.save(f"https://example.org/{number}", description="long " * 100)
    first = ask(ada, "/bookmarks", **BROWSER)
    trips.clear()
    with sql.at_most(0):
        second, identity = ask(ada, "/bookmarks", **BROWSER), ask(ada, "/bookmarks")
    assert trips == [1, 1]
    assert (first.data, first.headers["ETag"]) == (second.data, second.headers["ETag"])
    assert zstd.decompress(second.data) == identity.data


def test_the_short_way_lets_nobody_in_whom_the_long_one_keeps_out(ada: Api, bob: Api, context: Flask) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    there = {"X_Organization_ID": str(team)}
    join = "INSERT INTO memberships (organization_id, user_id, role) VALUES (:o, :u, 'viewer')"
    db.session.execute(text(join), {"o": team, "u": bob.user_id})
    db.session.commit()
    script = Api(ada.app, token=bob.post("/auth/tokens", {"name": "s", "scopes": ["tasks:read"]}).json["token"])
    for _ in range(2):
        assert ask(bob, "/bookmarks").status_code == 200
        assert ask(bob, "/bookmarks", **there).status_code == 200
        assert ask(script, "/bookmarks").status_code == 403
        assert ask(script, "/tasks").status_code == 200
    assert ada.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert ask(bob, "/bookmarks", **there).status_code == 404
    gate = cast(ResilientRedis, ada.app.extensions["resilient_redis"])
    assert gate.is_open
    assert gate._failures == 0
    bob.post("/auth/logout")
    assert ask(bob, "/bookmarks").status_code == 401


def test_a_token_that_ends_is_not_good_for_what_was_asked_before(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        assert ask(ada, "/bookmarks").status_code == 200
    later = time.time() + 24 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert ask(ada, "/bookmarks").status_code == 401


def test_what_is_remembered_of_a_question_is_that_of_its_sender(ada: Api, bob: Api, trips: list[int]) -> None:
    """The same address, asked by two, with another ETag, and too long to be remembered."""
    first = ask(ada, "/bookmarks")
    ada.save("https://example.org/")
    for _ in range(2):
        assert ask(ada, "/bookmarks").json["total"] == 1
        assert ask(bob, "/bookmarks").json["total"] == 0
        assert ask(ada, "/bookmarks", If_None_Match=first.headers["ETag"]).status_code == 200
        second = ask(ada, "/bookmarks")
        assert ask(ada, "/bookmarks", If_None_Match=second.headers["ETag"]).status_code == 304
        assert ask(ada, f"/bookmarks?q={'a' * 900}", If_None_Match=f'"{"x" * 1500}"').json["total"] == 0
    trips.clear()
    ask(ada, f"/bookmarks?q={'a' * 900}", If_None_Match=f'"{"x" * 1500}"')
    assert trips == [1]


def test_the_order_of_parameters_is_no_matter_and_their_values_are(ada: Api, sql: SqlCounter) -> None:
    ada.save("https://example.org/a", tags=["a", "b"])
    ask(ada, "/bookmarks?tag=a&tag=b&page=1")
    with sql.at_most(0):
        ask(ada, "/bookmarks?page=1&tag=b&tag=a")
    assert ask(ada, "/bookmarks?tag=a&tag=c&page=1").json["total"] == 0


def test_refusals_are_not_kept(ada: Api) -> None:
    assert ada.get("/bookmarks/1").status_code == 404
    ada.save("https://example.org/")
    assert ada.get("/bookmarks/1").status_code == 200
    assert ada.get("/bookmarks", nonsense="1").status_code == 422


Write = Callable[[Api, int], Any]
SAME, OTHER = ({"url": f"https://example.org/{path}", "tags": ["more"], "capture": False} for path in "ab")
WRITES: dict[str, Write] = {
    "patch": lambda api, id_: api.patch(f"/bookmarks/{id_}", {"title": "new"}),
    "tags": lambda api, id_: api.patch(f"/bookmarks/{id_}", {"tags": ["new"]}),
    "merge": lambda api, id_: api.post(
        "/bookmarks", {"url": "https://example.org/a", "tags": ["more"], "capture": False}
    ),
    "action": lambda api, id_: api.post("/bookmarks/actions", {"ids": [id_], "action": "favorite"}),
    "bulk": lambda api, id_: api.post("/bookmarks/bulk", {"items": [OTHER]}),
    "rename": lambda api, id_: api.patch(f"/tags/{api.get('/tags').json['items'][0]['id']}", {"name": "renamed"}),
    "delete": lambda api, id_: api.delete(f"/bookmarks/{id_}"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_has_seen_a_write_end_sees_it(ada: Api, write: Write) -> None:
    saved = ada.save("https://example.org/a", title="A", tags=["t"])
    before = ada.get("/bookmarks").data
    ada.get(f"/bookmarks/{saved['id']}")
    assert write(ada, saved["id"]).status_code < 300
    after = ada.get("/bookmarks")
    assert after.data != before
    with_no_cache = Api(ada.app, token=ada.token).get("/bookmarks", page="1", page_size="20")
    assert with_no_cache.json == after.json


def test_members_see_each_others_writes_and_strangers_share_nothing(ada: Api, bob: Api, context: Flask) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    db.session.execute(
        text("INSERT INTO memberships (organization_id, user_id, role) VALUES (:o, :u, 'editor')"),
        {"o": team, "u": bob.user_id},
    )
    db.session.commit()
    there = {"headers": {"X-Organization-ID": str(team)}}

    def titles(api: Api, **options: Any) -> list[str]:
        return [item["title"] for item in api.request("GET", "/bookmarks", **options).json["items"]]

    assert titles(bob, **there) == titles(bob) == titles(ada) == []
    ada.post("/bookmarks", {"url": "https://example.org/", "title": "of the team", "capture": False}, **there)
    assert titles(bob, **there) == titles(ada, **there) == ["of the team"]
    assert titles(bob) == titles(ada) == []


def test_another_name_of_an_organization_is_seen_by_all_members(ada: Api, bob: Api, context: Flask) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    db.session.execute(
        text("INSERT INTO memberships (organization_id, user_id, role) VALUES (:o, :u, 'editor')"),
        {"o": team, "u": bob.user_id},
    )
    db.session.commit()
    there = {"headers": {"X-Organization-ID": str(team)}}
    assert bob.request("GET", f"/organizations/{team}", **there).json["name"] == "Team"
    assert ada.patch(f"/organizations/{team}", {"name": "Other"}).status_code == 200
    assert bob.request("GET", f"/organizations/{team}", **there).json["name"] == "Other"


def test_what_the_worker_deletes_is_gone_from_answers(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/")
    ada.delete(f"/bookmarks/{saved['id']}")
    assert ada.get("/bookmarks", deleted="true").json["total"] == 1
    db.session.execute(text("UPDATE bookmarks SET deleted_at = now() - interval '90 days'"))
    db.session.commit()
    purge_trash()
    assert ada.get("/bookmarks", deleted="true").json["total"] == 0


def test_an_answer_from_before_a_write_is_not_kept_for_after_it(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader was slow: it read before the write, and kept what it read after."""
    saved = ada.save("https://example.org/", title="old")
    keep = answers.store_response

    def keep_late(*arguments: Any) -> None:
        monkeypatch.setattr(CacheBackend, "store_response", staticmethod(keep))
        ada.patch(f"/bookmarks/{saved['id']}", {"title": "new"})
        keep(*arguments)

    monkeypatch.setattr(CacheBackend, "store_response", staticmethod(keep_late))
    assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "old"
    assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "new"


def test_of_fifty_who_miss_at_once_one_asks_the_database(
    ada: Api, sql: SqlCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 60)
    ada.save("https://example.org/", title="one")
    people = [Api(ada.app, token=ada.token) for _ in range(50)]
    ada.get("/profile")
    start = threading.Barrier(50)

    def read(api: Api) -> bytes:
        start.wait()
        return api.get("/bookmarks").data

    sql.clear()
    with ThreadPoolExecutor(50) as pool:
        found = set(pool.map(read, people))
    assert len(found) == 1
    assert 0 < len(sql.statements) <= 3, sql.statements


def test_who_fails_to_make_an_answer_holds_nobody_up(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ada.get("/bookmarks/1").status_code == 404
    with monkeypatch.context() as patch:
        patch.setattr(answers, "PATIENCE", 60)
        started = time.monotonic()
        assert ada.get("/bookmarks/1").status_code == 404
        assert time.monotonic() - started < 30
    # One who died while making it is waited for no longer than patience lasts.
    monkeypatch.setattr(CacheBackend, "abandon", staticmethod(lambda wanted: None))
    monkeypatch.setattr(answers, "PATIENCE", 0.2)
    assert ada.get("/bookmarks/2").status_code == 404
    assert ada.get("/bookmarks/2").status_code == 404


def test_answers_end_at_different_times(ada: Api) -> None:
    for number in range(20):
        ada.get("/bookmarks", page_size=str(number + 1))
    client = cast(ResilientRedis, ada.app.extensions["resilient_redis"]).client
    lives = [client.ttl(key) for key in client.scan_iter("fuze:*:response:list:*")]
    assert len(lives) == 20
    assert len(set(lives)) > 3
    assert all(50 <= life <= 66 for life in lives)


@pytest.mark.parametrize("redis", [True, False], ids=["switched off", "no Redis"])
def test_without_the_cache_answers_are_the_same(
    ada: Api, app: Flask, sql: SqlCounter, monkeypatch: pytest.MonkeyPatch, redis: bool
) -> None:
    asked = paths(ada)
    kept = [(ask(ada, path), ask(ada, path))[1] for path in asked]
    if redis:
        monkeypatch.setattr(app.extensions["settings"], "ENABLE_CACHING", False)
    else:
        monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
    for path, before in zip(asked, kept, strict=True):
        sql.clear()
        answer = ask(ada, path)
        assert sql.statements
        assert (answer.status_code, answer.data) == (200, before.data)
        for name in ("ETag", "Cache-Control", "Vary", "Content-Type"):
            assert answer.headers[name] == before.headers[name]
        again = ask(ada, path, If_None_Match=answer.headers["ETag"])
        assert again.status_code == 304


def test_after_redis_was_away_nothing_kept_is_believed_for_a_while(
    ada: Api, gate: ResilientRedis, sql: SqlCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = ada.save("https://example.org/", title="old")
    ada.get(f"/bookmarks/{saved['id']}")
    with monkeypatch.context() as patch:
        patch.setattr(gate, "_pipe", unreachable_gate()._pipe)
        assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "new"}).status_code == 200
        assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "new"
    for _ in range(3):
        assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "new"

    def is_kept() -> bool:
        assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "new"
        sql.clear()
        assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == "new"
        return not sql.statements

    assert eventually(is_kept)


def test_what_another_run_of_redis_kept_is_not_looked_at(
    ada: Api, gate: ResilientRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash from which Redis brought back what it had on its disk."""
    saved = ada.save("https://example.org/", title="old")
    ada.get(f"/bookmarks/{saved['id']}")
    run = gate._run
    monkeypatch.setattr(gate, "_run", "an earlier one")
    gate.client.connection_pool.disconnect()
    assert ada.get("/profile").status_code == 200
    assert gate._run == run
    assert not gate.is_trusted


def test_the_administrator_sees_how_well_it_works_and_may_empty_it(ada: Api, person: Callable[..., Api]) -> None:
    root = person("root", admin=True)
    assert ada.get("/cache/stats").status_code == ada.delete("/cache").status_code == 403
    assert root.delete("/cache").status_code == 204
    for _ in range(4):
        ada.get("/tags")
    ada.get("/profile")
    found = root.get("/cache/stats").json
    assert (found["hits"], found["misses"], found["total_requests"]) == (3, 2, 5)
    assert (found["errors"], found["connected"], found["hit_rate_percent"]) == (0, True, 60.0)
    assert found["namespaces"]["list"] == {"hits": 3, "misses": 1, "hit_rate_percent": 75.0}
    assert root.delete("/cache").status_code == 204
    assert root.get("/cache/stats").json["total_requests"] == 0


def test_without_redis_the_statistics_say_so(person: Callable[..., Api], no_redis: ResilientRedis) -> None:
    found = person("root", admin=True).get("/cache/stats").json
    assert (found["connected"], found["total_requests"]) == (False, 0)
