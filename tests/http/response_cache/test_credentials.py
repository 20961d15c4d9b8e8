"""R-CACHE 2: what a credential reaches is part of the cache key, whoever asked first and whoever filled the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backend.actor import Actor
from backend.auth import authentication, session_cache
from backend.cache_warmup import service as warming
from backend.cache_warmup.jobs import warm_people_of_today, warm_person
from backend.http.operations import declared_operation
from backend.redis.resilient import ResilientRedis
from tests.organizations.teams import make_team, settle, write
from tests.support.api import Api
from tests.support.factories import make_person
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
JOIN = "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, :role)"
CONTENT = "INSERT INTO bookmark_contents (bookmark_id, text, html, word_count, vector) VALUES (:id, 'a', 'a', 1, '')"
# What routes have to be asked for, or is asked for to have an answer that is made quickly.
QUERIES = {"lookup": "url={url}", "recommendations": "bookmark_id={bookmark_id}"}


@dataclass(frozen=True)
class Caller:
    """A credential, and the organization that its requests name."""

    api: Api
    named: Mapping[str, str] = field(default_factory=dict)

    def ask(self, path: str, **headers: str) -> TestResponse:
        sent = {**self.named, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.api.request("GET", path, headers=sent)

    def save(self, url: str) -> TestResponse:
        return self.api.post("/bookmarks", {"url": url, "capture": False}, headers=dict(self.named))


@dataclass
class World:
    """Two people: one with three organizations, one of which the other has joined; and what they show."""

    app: Flask
    ada: Api
    bob: Api
    team_a: int
    team_b: int
    callers: dict[str, Caller]
    paths: list[str]


def token(person: Api, organization: int, *scopes: str) -> Api:
    body = {"name": "script", "scopes": list(scopes), "organization_id": organization}
    return Api(person.app, token=person.post("/auth/tokens", body).json["token"])


def in_(organization: int) -> dict[str, str]:
    return {"X-Organization-ID": str(organization)}


def fill(person: Api, organization: int) -> dict[str, Any]:
    """One thing of each kind in an organization: what routes take as arguments, by name."""
    there = {"headers": in_(organization)}
    url = f"https://example.org/{organization}"
    project = person.post("/projects", {"name": f"P{organization}"}, **there).json["id"]
    body = {"url": url, "title": f"B{organization}", "tags": ["t"], "project_ids": [project], "capture": False}
    bookmark = person.post("/bookmarks", body, **there).json["id"]
    task = person.post("/tasks", {"title": f"T{organization}", "project_id": project}, **there).json["id"]
    write(person, CONTENT, id=bookmark)
    return {
        "organization_id": organization,
        "project_id": project,
        "bookmark_id": bookmark,
        "task_id": task,
        "url": url,
    }


def cached_rules(app: Flask) -> list[Rule]:
    """Every route whose responses are cached."""
    found = []
    for rule in app.url_map.iter_rules():
        operation = declared_operation(app, rule.endpoint)
        if operation is not None and operation.cache is not None:
            assert "GET" in (rule.methods or ()), str(rule)
            found.append(rule)
    return found


def paths_of(app: Flask, things: Mapping[str, Any], only: str = "") -> Iterator[str]:
    """Every cached route with these arguments: one that is missing has to be made in `fill`."""
    for rule in cached_rules(app):
        if not rule.rule.endswith(only):
            continue
        built = rule.build({name: things[name] for name in rule.arguments})
        assert built is not None
        query = QUERIES.get(rule.rule.rpartition("/")[2], "").format(**things)
        yield f"{built[1]}?{query}" if query else built[1]


@pytest.fixture
def world(app: Flask) -> World:
    ada, bob = make_person(app, "ada"), make_person(app, "bob")
    team_a, team_b = make_team(ada, "A"), make_team(ada, "B")
    write(ada, JOIN, user=bob.user_id, team=team_a, role="editor")
    things = fill(ada, team_a)
    elsewhere = [fill(ada, ada.organization_id), fill(ada, team_b), fill(bob, bob.organization_id)]
    everything = "*:read", "*:write"
    callers = {
        "login": Caller(ada),
        "login in A": Caller(ada, in_(team_a)),
        "login in B": Caller(ada, in_(team_b)),
        "token of A": Caller(token(ada, team_a, *everything)),
        "token of B": Caller(token(ada, team_b, *everything)),
        "token of home": Caller(token(ada, ada.organization_id, *everything)),
        "token of A that reads": Caller(token(ada, team_a, "*:read")),
        "token of A that reads and saves bookmarks": Caller(token(ada, team_a, "bookmarks:write", "bookmarks:read")),
        "token of A that reads organizations": Caller(token(ada, team_a, "organizations:read", "tasks:write")),
        "bob in A": Caller(bob, in_(team_a)),
        "bob's token of A": Caller(token(bob, team_a, *everything)),
        "bob": Caller(bob),
    }
    paths = list(paths_of(app, things))
    paths += [path for others in elsewhere for path in paths_of(app, others, "<id:organization_id>")]
    return World(app, ada, bob, team_a, team_b, callers, paths)


@contextmanager
def uncached(app: Flask) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.extensions["settings"], "ENABLE_CACHING", False)
        yield


Shown = tuple[int, Any]


def shown(answer: TestResponse) -> Shown:
    """Status and body. A recommendation has another number each time that it is made; the dashboard says when, and
    what the server does meanwhile."""
    body = answer.json or {}
    if body.pop("metadata", None):
        for of_server in ("system", "reasons"):
            body["data"].pop(of_server, None)
    for item in body.get("items", []):
        item.pop("recommendation_id", None)
    for ours in ("request_id", "instance"):
        body.pop(ours, None)
    return answer.status_code, body


Truth = Mapping[tuple[str, str], Shown]


def truth(world: World) -> Truth:
    """What each credential sees under each path, without the cache."""
    with uncached(world.app):
        return {(name, path): shown(one.ask(path)) for name, one in world.callers.items() for path in world.paths}


def check(world: World, names: list[str], sql: SqlCounter | None = None, expected: Truth | None = None) -> None:
    """Ask for everything with one credential after the other, and compare with what is true."""
    expected = expected or truth(world)
    etags: dict[str, str] = {}
    for name in names:
        one = world.callers[name]
        for path in world.paths:
            first = one.ask(path)
            if sql is not None:
                sql.clear()
            short = one.ask(path)
            if sql is not None and short.status_code == 200:
                assert sql.statements == [], f"not cached: {path} for {name}"
            for answer in (first, short):
                assert shown(answer) == expected[name, path], f"{path} for {name}"
            check_conditional(one, path, short, etags)


def check_conditional(one: Caller, path: str, answer: TestResponse, others: dict[str, str]) -> None:
    """304 for who has this very answer; the ETag of what another got under the path is worth nothing."""
    etag, other = answer.headers.get("ETag"), others.get(path)
    if etag is None:
        assert one.ask(path, If_None_Match=other or "*").status_code == answer.status_code
        return
    # This leaves the request to Flask.
    assert one.ask(path, If_None_Match=etag, Content_Encoding="identity").status_code == 304
    if other not in (None, etag):
        assert one.ask(path, If_None_Match=cast(str, other)).status_code == 200
    others[path] = etag


def test_every_argument_and_query_of_cached_routes_is_tried(world: World) -> None:
    """The walk below means something: each cached route has an answer for somebody, a refusal and a 404 for others."""
    expected = truth(world)
    for rule in cached_rules(world.app):
        seen = {
            status
            for (_, path), (status, _) in expected.items()
            if world.app.url_map.bind("").match(path.partition("?")[0], return_rule=True)[0] is rule
        }
        # The profile answers to every valid token.
        assert seen >= ({200} if rule.rule == "/api/v1/profile" else {200, 403}), rule.rule
        assert (404 in seen) == bool(rule.arguments or rule.rule.endswith(("lookup", "recommendations"))), rule.rule


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_each_credential_gets_what_it_would_without_the_cache(world: World, sql: SqlCounter, backwards: bool) -> None:
    settle(world.ada, world.bob)
    names, expected = sorted(world.callers, reverse=backwards), truth(world)
    check(world, names, sql, expected)
    # Now everything is there, for everybody.
    check(world, names[::-1], sql, expected)


@pytest.mark.parametrize("after_a_start", [False, True], ids=["after a login", "after a start"])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_what_is_made_ahead_is_what_the_login_would_get(
    world: World, sql: SqlCounter, backwards: bool, after_a_start: bool
) -> None:
    settle(world.ada, world.bob)
    with world.app.app_context():
        if after_a_start:
            warm_people_of_today()
        else:
            warm_person(world.ada.user_id)
            warm_person(world.bob.user_id)
    for caller in (Caller(world.ada), Caller(world.bob)):
        with sql.at_most(0):
            for path in warming.FIRST_SHOWN:
                assert caller.ask(path).status_code == 200
    assert world.ada.get("/organizations").json["total"] == 3
    check(world, sorted(world.callers, reverse=backwards))


class Waiting:
    """Stands where the thread does that refreshes behind writes; refreshes when it is told to."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []

    def later(self, actor: Actor) -> None:
        self.actors.append(actor)

    def refresh(self, app: Flask) -> None:
        with app.app_context():
            for actor in self.actors:
                warming.refresh(actor)
        self.actors.clear()


@pytest.fixture
def waiting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    found = Waiting()
    monkeypatch.setitem(app.extensions, "refresh_ahead", found)
    monkeypatch.setattr(warming, "MOST_REFRESHED", 1000)
    return found


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_what_is_refreshed_behind_a_write_is_for_who_wrote(world: World, waiting: Waiting, backwards: bool) -> None:
    settle(world.ada, world.bob)
    names = sorted(world.callers, reverse=backwards)
    for name in names:
        for path in world.paths:
            world.callers[name].ask(path)
    saved = [name for name in names if world.callers[name].save(f"https://example.org/by/{name}").status_code == 201]
    assert set(names) - set(saved) == {"token of A that reads", "token of A that reads organizations"}
    waiting.refresh(world.app)
    check(world, names)


def test_a_refresh_fills_the_cache_of_a_token_with_what_the_token_may_read(
    world: World, waiting: Waiting, sql: SqlCounter
) -> None:
    settle(world.ada)
    script = world.callers["token of A that reads and saves bookmarks"]
    for _ in range(2):
        assert script.ask("/bookmarks").status_code == 200
        assert script.ask("/organizations").status_code == 403
    assert script.save("https://example.org/new").status_code == 201
    waiting.refresh(world.app)
    with sql.at_most(0):
        assert script.ask("/bookmarks").json["total"] == 2
    gate = cast(ResilientRedis, world.app.extensions["resilient_redis"])
    assert list(gate.client.scan_iter("fuze:*:response:organization:*")) == []
    assert [key for key in gate.client.scan_iter("fuze:*:response:list:*") if b":login:" in key] == []


Change = Callable[[World], Any]


def _demote(world: World) -> Any:
    return world.ada.patch(f"/organizations/{world.team_a}/members/{world.bob.user_id}", {"role": "viewer"})


def _remove(world: World) -> Any:
    return world.ada.delete(f"/organizations/{world.team_a}/members/{world.bob.user_id}")


def _leave(world: World) -> Any:
    return world.bob.delete(f"/organizations/{world.team_a}/members/{world.bob.user_id}")


CHANGES: dict[str, Change] = {
    "another role": _demote,
    "removed": _remove,
    "left": _leave,
    "organization deleted": lambda world: world.ada.request(
        "DELETE", f"/organizations/{world.team_a}", json={"name": "A"}
    ),
    "organization renamed": lambda world: world.ada.patch(f"/organizations/{world.team_a}", {"name": "Other"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_change_of_rights_nobody_gets_what_was_cached_before(world: World, change: Change) -> None:
    for name in set(world.callers) - {"login", "login in A", "token of A", "bob in A", "bob's token of A", "bob"}:
        del world.callers[name]
    names = sorted(world.callers)
    for name in names:
        for path in world.paths:
            world.callers[name].ask(path)
    assert change(world).status_code < 300
    check(world, names)


def test_who_comes_back_gets_nothing_from_before(world: World, waiting: Waiting) -> None:
    """A write of theirs waited for its refresh meanwhile."""
    bob = world.callers["bob in A"]
    settle(world.ada, world.bob)
    assert bob.ask("/bookmarks").json["total"] == 1
    assert bob.save("https://example.org/of/bob").status_code == 201
    assert _remove(world).status_code == 204
    waiting.refresh(world.app)
    assert bob.ask("/bookmarks").status_code == 404
    assert world.callers["login in A"].save("https://example.org/while/away").status_code == 201
    write(world.ada, JOIN, user=world.bob.user_id, team=world.team_a, role="viewer")
    settle(world.ada)
    check(world, sorted(world.callers))


def test_credentials_that_reach_the_same_share(world: World, sql: SqlCounter) -> None:
    settle(world.ada)
    same_scopes = [token(world.ada, world.team_a, *scopes) for scopes in (("tasks:read", "*:write"),) * 2]
    same_scopes.append(token(world.ada, world.team_a, "*:write", "tasks:read"))
    login = world.ada.post("/auth/login", {"login": "ada", "password": "correct horse battery"}).json
    for group in (same_scopes, [world.ada, Api(world.app, session=login)]):
        for api in group:
            api.get("/profile")
        etag = group[0].get("/tasks").headers["ETag"]
        for api in group[1:]:
            api.get("/tasks")
            with sql.at_most(0):
                assert api.get("/tasks").headers["ETag"] == etag
    other = token(world.ada, world.team_a, "tasks:read")
    other.get("/profile")
    sql.clear()
    other.get("/tasks")
    assert sql.statements, "what was cached for other scopes"


def test_what_redis_says_of_a_credential_does_not_choose_whose_responses_it_gets(world: World) -> None:
    """Who acts is known better than there: by a change that was only just announced, or since nothing is believed."""
    settle(world.ada, world.bob)
    gate = cast(ResilientRedis, world.app.extensions["resilient_redis"])
    script, other = token(world.bob, world.bob.organization_id, "*:read"), world.callers["token of A that reads"]
    for path in ("/bookmarks", "/bookmarks", "/organizations"):
        for caller in (Caller(script), other):
            caller.ask(path)
    names = {int(gate.client.get(key).split(b":")[0]): key for key in gate.client.scan_iter("fuze:*:token:*")}
    own, foreign = names[world.bob.user_id], names[world.ada.user_id]
    gate.client.set(own, gate.client.get(foreign))
    with pytest.MonkeyPatch.context() as patch:
        # As if what stands there were not believed: PostgreSQL is asked who acts.
        patch.setattr(session_cache, "cached_token", lambda *_: (None, None, False))
        patch.setattr(authentication, "cached_actor", lambda *_: None)
        for path in ("/bookmarks", "/organizations"):
            answer = script.get(path)
            assert [item["id"] for item in answer.json["items"]] != [
                item["id"] for item in other.ask(path).json["items"]
            ]
            with uncached(world.app):
                assert shown(script.get(path)) == shown(answer)
