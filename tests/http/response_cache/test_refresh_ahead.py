"""R-CACHE 9: after a write the lists that somebody looks at are made anew before they ask again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from backend.actor import Actor
from backend.auth.authentication import actor_of_login
from backend.cache_warmup import service as warming
from backend.cache_warmup.service import MOST_REFRESHED, refresh
from backend.http.response_cache import refresh_ahead
from backend.http.response_cache.refresh_ahead import RefreshAhead
from backend.redis.resilient import ResilientRedis
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def actor_of(api: Api) -> Actor:
    with api.app.app_context():
        actor = actor_of_login(api.user_id)
        assert actor is not None
        return actor


def remake_for(api: Api) -> None:
    actor = actor_of(api)
    with api.app.app_context():
        refresh(actor)


def test_what_was_asked_for_is_there_again_after_a_write(ada: Api, bob: Api, sql: SqlCounter) -> None:
    paths = [
        "/bookmarks",
        "/bookmarks?is_favorite=true&page_size=5",
        "/bookmarks?q=%22a%20b%22+%C3%A4&tag=a%2Fb&tag=%F0%9F%98%80",
        "/tags?page_size=7",
        "/projects",
    ]
    ada.get("/profile")
    for path in paths:
        assert ada.request("GET", path).status_code == 200
    bob.get("/bookmarks")
    saved = ada.save("https://example.org/", tags=["t"], is_favorite=True)
    remake_for(ada)
    with sql.at_most(0):
        found = [ada.request("GET", path).json for path in paths]
        assert ada.request("GET", f"/bookmarks/{saved['id']}").json == saved
    assert found[0]["items"] == found[1]["items"] == [saved]
    assert [answer["total"] for answer in found] == [1, 1, 0, 1, 0]


def test_only_the_most_wanted_are_and_only_while_they_are_wanted(ada: Api, sql: SqlCounter) -> None:
    for page in range(1, 10):
        for _ in range(page):
            ada.request("GET", f"/bookmarks?page={page}")
    ada.save("https://example.org/")
    remake_for(ada)
    for page in range(1, 10):
        sql.clear()
        ada.request("GET", f"/bookmarks?page={page}")
        assert bool(sql.statements) == (page <= 9 - MOST_REFRESHED), page
    # From now on nobody asks: what was wanted once or twice is left alone after some writes.
    for number in range(8):
        ada.save(f"https://example.org/{number}")
        sql.clear()
        remake_for(ada)
    assert [statement for statement in sql.statements if "bookmark_counts" in statement] == []


def test_nobody_waits_for_it_and_nothing_is_counted(ada: Api, person: Any) -> None:
    root = person("root", admin=True)
    root.delete("/cache")
    ada.get("/bookmarks")
    ada.save("https://example.org/")
    remake_for(ada)
    remake_for(ada)
    assert root.get("/cache/stats").json["namespaces"]["list"] == {"hits": 0, "misses": 1, "hit_rate_percent": 0.0}
    # Somebody is making it: there is nothing to do.
    gate = cast(ResilientRedis, ada.app.extensions["resilient_redis"])
    ada.save("https://example.org/b")
    [name] = [key.decode() for key in gate.client.scan_iter("fuze:*:response:list:*")]
    gate.client.set(name.replace(":response:", ":making:response:"), 1)
    started = time.monotonic()
    remake_for(ada)
    assert time.monotonic() - started < 1


@contextmanager
def served_by(app: Flask, queue: Any) -> Iterator[None]:
    app.extensions["refresh_ahead"] = queue
    try:
        yield
    finally:
        del app.extensions["refresh_ahead"]


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_every_write_asks_for_it_and_reads_do_not(ada: Api, app: Flask) -> None:
    asked: list[tuple[int, int]] = []

    class Notes:
        def later(self, actor: Actor) -> None:
            asked.append((actor.organization_id, actor.user_id))

    with served_by(app, Notes()):
        ada.get("/bookmarks")
        assert asked == []
        saved = ada.save("https://example.org/")
        ada.post("/bookmarks", {"url": "nonsense"})
        ada.delete(f"/bookmarks/{saved['id']}")
    assert asked == [(ada.organization_id, ada.user_id)] * 2


def test_a_process_that_serves_does_it_by_itself(ada: Api, app: Flask, sql: SqlCounter) -> None:
    with app.app_context():
        warming.start_refreshing(app)
    with served_by(app, app.extensions["refresh_ahead"]):
        ada.get("/profile")
        ada.get("/bookmarks")
        sql.clear()
        ada.save("https://example.org/")
        wait_until(lambda: any("bookmark_counts" in one for one in sql.statements))
        client = cast(ResilientRedis, app.extensions["resilient_redis"]).client
        wait_until(lambda: not list(client.scan_iter("fuze:*:making:*")))
        with sql.at_most(0):
            assert ada.get("/bookmarks").json["total"] == 1


def test_a_fault_of_the_database_ends_nothing_and_the_line_is_short(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_ahead, "MOST_WAITING", 2)
    done: list[int] = []
    goes_on = threading.Event()

    def work(actor: Actor) -> None:
        done.append(actor.user_id)
        goes_on.wait(10)
        if len(done) == 1:
            raise OperationalError("SELECT", {}, Exception("gone"))

    queue = RefreshAhead(app, work)
    queue.later(Actor(1, 1, "owner"))
    wait_until(lambda: done)
    for user_id in (2, 2, 3, 2, 4):
        queue.later(Actor(user_id, 1, "owner"))
    goes_on.set()
    wait_until(lambda: len(done) == 3)
    time.sleep(0.05)
    assert done == [1, 2, 3], "who writes several times waits once, and who comes last not at all"


def test_credentials_of_one_person_wait_each_for_themselves(app: Flask) -> None:
    done: list[Actor] = []
    goes_on = threading.Event()

    def work(actor: Actor) -> None:
        done.append(actor)
        goes_on.wait(10)

    login, token, other = (
        Actor(1, 1, "owner", is_login=True),
        Actor(1, 1, "owner", scopes=frozenset({"*:write"})),
        Actor(1, 1, "owner", scopes=frozenset({"*:write", "tasks:read"})),
    )
    queue = RefreshAhead(app, work)
    queue.later(login)
    wait_until(lambda: done)
    for actor in (token, login, other, token):
        queue.later(actor)
    goes_on.set()
    wait_until(lambda: len(done) == 4)
    assert done == [login, token, login, other]


def test_what_somebody_else_wrote_among_the_paths_is_passed_over(ada: Api, sql: SqlCounter) -> None:
    """Whoever writes to Redis ends no thread that makes answers ready."""
    ada.get("/profile")
    assert ada.get("/bookmarks").status_code == 200
    with ada.app.app_context():
        gate: ResilientRedis = ada.app.extensions["resilient_redis"]
        asked = gate.key(f"asked:{ada.organization_id}:{ada.user_id}:login")
        paths = [b"\xff\xfe", b"http://[", b"/api/v1/\r\nX: y", b"/api/v1/" + b"x" * 5_000]
        gate.client.zadd(asked, dict.fromkeys(paths, 9.0))
    ada.save("https://example.org/")
    remake_for(ada)
    with sql.at_most(0):
        assert ada.get("/bookmarks").json["total"] == 1
