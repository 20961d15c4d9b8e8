"""The dashboard over HTTP: what it answers, to whom, from where, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from backend.activity import roll_ups, search_counts
from backend.activity.jobs import flush_searches, roll_up
from backend.cli import main
from backend.clock import utc_now
from backend.extensions import db
from backend.redis.client import redis_client
from backend.redis.resilient import ResilientRedis
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PATHS = {"/dashboard/metrics": 300, "/dashboard/activity": 60, "/dashboard/statistics": 600}
URL = "https://example.org/"


def data(api: Api, path: str, **query: Any) -> Any:
    response = api.get(f"/dashboard/{path}", **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.json["data"]


def join(owner: Api, person: Api, team: int, role: str) -> Api:
    """Make a person a member, and return a client of theirs in the team."""
    values = {"user": person.user_id, "team": team, "role": role}
    with owner.app.app_context():
        db.session.execute(
            text("INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, :role)"), values
        )
        db.session.commit()
        db.session.remove()
    body = {"name": "t", "scopes": ["*:read", "*:write"], "organization_id": team}
    return Api(person.app, token=person.post("/auth/tokens", body).json["token"])


@pytest.fixture
def team(ada: Api) -> int:
    return int(ada.post("/organizations", {"name": "Team"}).json["id"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", ["identity", "br"])
def test_the_envelope_tells_whether_it_was_cached_and_when_it_was_computed(
    ada: Api, sql: SqlCounter, path: str, coding: str
) -> None:
    for number in range(12):
        ada.save(f"{URL}{number}")
    headers = {"Accept-Encoding": coding}
    sql.clear()
    before = utc_now()
    cold = ada.request("GET", path, headers=headers)
    assert [statement for statement in sql.statements if "set_config" not in statement] == sql.statements
    # The days of statistics begin in the person's time zone.
    assert len(sql.statements) == (2 if path.endswith("statistics") else 1)
    sql.clear()
    with_identity = ada.request("GET", path, headers={"Accept-Encoding": "identity"})
    warm = ada.request("GET", path, headers=headers)
    assert sql.statements == []
    if coding == "identity":
        body = cold.json
        assert body["status"] == "success"
        assert before <= datetime.fromisoformat(body["metadata"]["timestamp"]) <= utc_now()
        assert body["metadata"] == {**body["metadata"], "cache_ttl": PATHS[path], "cached": False}
        assert warm.json == {**body, "metadata": {**body["metadata"], "cached": True}}
    assert with_identity.json["metadata"]["cached"] is True
    assert warm.headers["ETag"] == cold.headers["ETag"].removeprefix("W/") != cold.headers["ETag"]
    for etag in (cold.headers["ETag"], warm.headers["ETag"]):
        assert ada.request("GET", path, headers={**headers, "If-None-Match": etag}).status_code == 304
    ada.save(f"{URL}new")
    assert ada.request("GET", path, headers={"Accept-Encoding": "identity"}).json["metadata"]["cached"] is False


@pytest.mark.parametrize("path", PATHS)
def test_without_a_cache_nothing_says_that_it_was_cached(ada: Api, no_redis: ResilientRedis, path: str) -> None:
    for _ in range(2):
        assert ada.get(path).json["metadata"]["cached"] is False


def test_a_write_is_seen_at_once(ada: Api) -> None:
    assert data(ada, "metrics")["content"]["bookmarks"]["total"] == 0
    saved = ada.save(URL, is_favorite=True)
    ada.save(f"{URL}2", is_archived=True, is_read=True)
    assert data(ada, "metrics")["content"]["bookmarks"] == {
        "total": 2,
        "by_status": {"pending": 0, "captured": 0, "failed": 0, "skipped": 2},
        "unread": 1,
        "favorite": 1,
        "archived": 1,
        "trashed": 0,
    }
    assert data(ada, "activity")["items"][0]["type"] == "bookmark.created"
    assert data(ada, "statistics")["series"][-1]["bookmarks"] == 2
    ada.delete(f"/bookmarks/{saved['id']}")
    metrics = data(ada, "metrics")["content"]["bookmarks"]
    assert (metrics["total"], metrics["trashed"], metrics["favorite"]) == (1, 1, 0)


def test_content_is_counted_by_status_and_without_the_trash(ada: Api, bob: Api) -> None:
    bob.post("/projects", {"name": "Another's"})
    for status in ("active", "active", "done"):
        project = ada.post("/projects", {"name": "P", "status": status}).json["id"]
    gone = ada.post("/projects", {"name": "Gone"}).json["id"]
    ada.post("/tasks", {"title": "hidden", "project_id": gone})
    ada.delete(f"/projects/{gone}")
    for status in ("todo", "blocked", "done", "done"):
        ada.post("/tasks", {"title": "T", "status": status, "project_id": project})
    ada.delete(f"/tasks/{ada.post('/tasks', {'title': 'trashed'}).json['id']}")
    content = data(ada, "metrics")["content"]
    assert content["projects"] == {"total": 3, "by_status": {"active": 2, "paused": 0, "done": 1, "archived": 0}}
    assert content["tasks"] == {"total": 4, "by_status": {"todo": 1, "in_progress": 0, "blocked": 1, "done": 2}}
    assert data(ada, "statistics")["totals"]["tasks_completed"] == 2


def test_searches_are_counted_before_and_after_they_are_written(ada: Api, bob: Api, context: Flask) -> None:
    ada.save(URL, title="found")
    for q in ("found", "found", "nothing like it"):
        assert ada.get("/search", q=q, mode="text").status_code == 200
    assert ada.get("/search", q="found", mode="text", page=2).status_code == 200  # The same search.
    bob.get("/search", q="bob's")

    def told(api: Api) -> tuple[int, int]:
        api.post("/tasks", {"title": "a write invalidates"})
        return data(api, "metrics")["engagement"]["searches"], data(api, "statistics")["totals"]["searches"]

    assert told(ada) == (3, 3)
    for _ in range(2):
        flush_searches()
        assert told(ada) == (3, 3)
    ada.get("/search", q="found")
    assert told(ada) == (4, 4)
    redis_client().flushall()  # What was written stays; another Redis counts from zero.
    assert told(ada) == (3, 3)
    ada.get("/search", q="found")
    assert told(ada) == (4, 4)
    assert told(bob) == (1, 1)


def test_counts_in_redis_are_deleted_once_they_are_written(ada: Api, context: Flask) -> None:
    keys = search_counts.count_keys(ada.organization_id)
    old = int((utc_now() - timedelta(hours=5)).timestamp()) // 900 * 900
    redis_client().hset(keys[0], mapping={"source": "s", str(old): 7})
    redis_client().sadd(keys[1], ada.organization_id, 10**9)
    redis_client().hset(search_counts.count_keys(10**9)[0], mapping={"source": "s", str(old): 7})
    flush_searches()
    assert redis_client().hgetall(keys[0]) == {b"source": b"s"}
    assert redis_client().smembers(keys[1]) == set()
    assert data(ada, "metrics")["engagement"]["searches"] == 7


def test_what_redis_counts_has_a_reason_while_it_is_away(ada: Api, no_redis: ResilientRedis) -> None:
    ada.save(URL)
    answer = data(ada, "metrics")
    assert answer["content"]["bookmarks"]["total"] == 1
    assert answer["system"]["queue_depth"] is None
    assert {"engagement.searches", "system.queue_depth"} <= set(answer["reasons"])
    assert data(ada, "statistics")["reasons"] == {"series.searches": answer["reasons"]["engagement.searches"]}


def test_every_null_has_a_reason(ada: Api) -> None:
    metrics = data(ada, "metrics")
    nulls = {f"{part}.{name}" for part in metrics for name, value in _items(metrics[part]) if value is None}
    assert nulls == set(metrics["reasons"])
    assert "users.growth_rate" in nulls


def test_response_times_are_estimated_from_what_all_processes_have_measured(ada: Api) -> None:
    ada.get("/bookmarks")
    system = data(ada, "metrics")["system"]
    assert 0 < system["api_response_ms_p50"] <= system["api_response_ms_p95"] <= 10_000


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def test_the_hit_rate_and_the_queue_are_the_real_ones(ada: Api, context: Flask) -> None:
    for _ in range(4):
        ada.get("/bookmarks")
    system = data(ada, "metrics")["system"]
    assert system["cache_hit_rate"] == 0.6  # Three of five: this request missed too.
    assert system["queue_depth"] == 0
    ada.post("/bookmarks", {"url": URL})
    assert data(ada, "metrics")["system"]["queue_depth"] >= 1
    assert 0 <= system["uptime_seconds"] < 86_400


def test_members_see_what_their_role_may_see(ada: Api, bob: Api, team: int) -> None:
    viewer = join(ada, bob, team, "viewer")
    in_team = {"X-Organization-ID": str(team)}
    saved = ada.post("/bookmarks", {"url": URL, "title": "Title", "capture": False}, headers=in_team).json["id"]
    ada.post("/feedback", {"bookmark_id": saved, "kind": "opened"}, headers=in_team)
    ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "editor"})

    def seen(api: Api) -> list[str]:
        response = api.request("GET", "/dashboard/activity", headers=in_team if api is ada else {})
        return [item["type"] for item in response.json["data"]["items"]]

    common = ["bookmark.created", "user.joined", "organization.created"]
    assert seen(ada)[:3] == ["user.role_changed", "bookmark.recommendation_opened", "bookmark.created"]
    assert [kind for kind in seen(viewer) if kind in common] == seen(viewer)
    assert set(seen(viewer)) == set(common)
    metrics = viewer.get("/dashboard/metrics").json["data"]
    assert metrics["users"]["by_role"] == {"owner": 1, "editor": 1, "viewer": 0}
    assert metrics["engagement"]["recommendations_opened"] == 1
    assert "user.joined" in {item["type"] for item in data(bob, "activity")["items"]}
    assert "bookmark.created" not in {item["type"] for item in data(bob, "activity")["items"]}


def test_events_name_things_as_they_are_now_to_tokens_that_may_read_them(ada: Api) -> None:
    saved = ada.save(URL, title="Before")
    ada.patch(f"/bookmarks/{saved['id']}", {"title": "After"})
    other = ada.save(f"{URL}2", title="Gone")
    ada.delete(f"/bookmarks/{other['id']}", permanent="true")
    project = ada.post("/projects", {"name": "Project"}).json
    newest = data(ada, "activity")["items"][:5]
    assert [(item["type"], item["title"]) for item in newest] == [
        ("project.created", "Project"),
        ("bookmark.deleted", None),
        ("bookmark.created", None),
        ("bookmark.updated", "After"),
        ("bookmark.created", "After"),
    ]
    assert newest[0] == {
        **newest[0],
        "user_id": ada.user_id,
        "username": "ada",
        "object_type": "project",
        "object_id": project["id"],
        "data": {},
    }
    body = {"name": "t", "scopes": ["dashboard:read", "projects:read"]}
    token = Api(ada.app, token=ada.post("/auth/tokens", body).json["token"])
    titles = {(item["object_type"], item["title"]) for item in data(token, "activity")["items"]}
    assert titles == {("project", "Project"), ("bookmark", None), ("user", "ada")}


def test_the_feed_is_filtered(ada: Api, bob: Api) -> None:
    saved = ada.save(URL)
    task = ada.post("/tasks", {"title": "T"}).json
    ada.patch(f"/tasks/{task['id']}", {"status": "done"})
    middle = data(ada, "activity")["items"][0]["created_at"]
    ada.delete(f"/bookmarks/{saved['id']}")

    def kinds(**query: Any) -> list[str]:
        return [item["type"] for item in data(ada, "activity", **query)["items"]]

    assert kinds(type="task.completed") == ["task.completed"]
    assert kinds(object_type="task") == ["task.completed", "task.created"]
    assert kinds(object_type="bookmark", object_id=saved["id"]) == ["bookmark.deleted", "bookmark.created"]
    assert kinds(object_type="task", object_id=saved["id"] + task["id"]) == []
    assert kinds(since=middle) == ["bookmark.deleted", "task.completed"]
    assert kinds(user_id=bob.user_id) == []
    assert len(kinds(user_id=ada.user_id, limit=2)) == 2


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("activity", {"type": "bookmark.read"}, "query.type"),
        ("activity", {"limit": 0}, "query.limit"),
        ("activity", {"limit": 101}, "query.limit"),
        ("activity", {"limit": "ten"}, "query.limit"),
        ("activity", {"cursor": "forged"}, "query.cursor"),
        ("activity", {"object_type": "session"}, "query.object_type"),
        ("activity", {"page": 1}, "query.page"),
        ("metrics", {"scope": "world"}, "query.scope"),
        ("metrics", {"time_zone": "Mars/Olympus"}, "query.time_zone"),
        ("metrics", {"time_zone": "../../etc/passwd"}, "query.time_zone"),
        ("statistics", {"interval": "hour"}, "query.interval"),
        ("statistics", {"from": "2026-01-02", "to": "2026-01-01"}, "query.to"),
        ("statistics", {"from": "2021-01-01", "to": "2026-01-02"}, "query.from"),
        ("statistics", {"from": "2020-02-29", "to": "2025-03-02"}, "query.from"),
        ("statistics", {"from": "yesterday"}, "query.from"),
        ("statistics", {"from": "2026-02-30"}, "query.from"),
        ("statistics", {"to": "0001-01-01"}, "query.to"),
        ("statistics", {"from": "2026-01-01T00:00:00Z"}, "query.from"),
    ],
)
def test_nonsense_is_refused(ada: Api, path: str, query: dict[str, Any], field: str) -> None:
    assert list(field_errors(ada.get(f"/dashboard/{path}", **query))) == [field]


def test_five_years_are_not_too_many(ada: Api) -> None:
    statistics = data(ada, "statistics", **{"from": "2021-01-01", "to": "2026-01-01"})
    assert len(statistics["series"]) == 365 * 5 + 2
    assert {point["bookmarks"] for point in statistics["series"]} == {0}
    leap = data(ada, "statistics", **{"from": "2020-02-29", "to": "2025-03-01", "interval": "month"})
    assert (leap["from"], leap["to"], len(leap["series"])) == ("2020-02-01", "2025-03-31", 62)


def test_days_begin_in_the_time_zone_of_the_profile(ada: Api, bob: Api) -> None:
    ada.patch("/profile", {"time_zone": "Pacific/Apia"})
    for name in ("metrics", "statistics"):
        assert [data(who, name)["time_zone"] for who in (ada, bob)] == ["Pacific/Apia", "UTC"]
        assert data(ada, name, time_zone="Asia/Kathmandu")["time_zone"] == "Asia/Kathmandu"


def test_the_server_is_for_administrators(
    ada: Api, bob: Api, person: Callable[..., Api], sql: SqlCounter, context: Flask
) -> None:
    admin = person("root", admin=True)
    ada.save(URL)
    bob.save(URL)
    assert ada.get("/dashboard/metrics", scope="server").status_code == 403
    admin.get("/bookmarks")
    sql.clear()
    metrics = data(admin, "metrics", scope="server")
    assert len(sql.statements) == 1
    assert metrics["users"]["total"] == 3
    assert metrics["users"]["by_role"] == {"user": 2, "admin": 1}
    assert metrics["users"]["active_today"] == 3
    assert metrics["content"]["bookmarks"]["total"] == 2
    assert data(admin, "metrics")["content"]["bookmarks"]["total"] == 0
    body = {"name": "t", "scopes": ["*:read"]}
    token = Api(admin.app, token=admin.post("/auth/tokens", body).json["token"])
    assert token.get("/dashboard/metrics", scope="server").status_code == 403
    db.session.execute(text("UPDATE users SET role = 'user' WHERE id = :id"), {"id": admin.user_id})
    db.session.commit()


def test_growth_is_against_thirty_days_before(ada: Api, bob: Api, team: int, context: Flask) -> None:
    join(ada, bob, team, "editor")
    db.session.execute(text("UPDATE memberships SET created_at = now() - interval '60 days' WHERE role = 'owner'"))
    db.session.commit()

    def growth() -> Any:
        response = ada.request("GET", "/dashboard/metrics", headers={"X-Organization-ID": str(team)})
        return response.json["data"]["users"]["growth_rate"]

    assert growth() == 1.0
    db.session.execute(text("UPDATE memberships SET created_at = now() - interval '60 days'"))
    db.session.commit()
    assert ada.request("DELETE", f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert growth() == -0.5  # Who has left was there before.
    db.session.rollback()


def test_postgresql_knows_every_time_zone(ada: Api, context: Flask) -> None:
    """And each is off by whole quarters of an hour, as the roll-ups take for granted."""
    known = set(db.session.scalars(text("SELECT name FROM pg_timezone_names")))
    assert available_timezones() - known <= {"localtime", "posixrules"}
    for name in available_timezones() - {"localtime", "posixrules"}:
        for moment in (utc_now() + timedelta(days=30 * month) for month in range(-60, 12, 3)):
            offset = moment.astimezone(ZoneInfo(name)).utcoffset()
            assert offset is not None
            assert offset % timedelta(minutes=15) == timedelta(0), name


def test_the_commands_count_again(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.save(URL)
    db.session.execute(text("ALTER TABLE activity DISABLE TRIGGER append_only"))
    db.session.execute(text("UPDATE activity SET created_at = created_at - interval '1 hour'"))
    db.session.execute(text("ALTER TABLE activity ENABLE TRIGGER append_only"))
    db.session.commit()
    roll_up()
    db.session.execute(text("UPDATE activity_counts SET count = 7 WHERE series = 'bookmarks'"))
    db.session.commit()
    assert data(ada, "statistics")["totals"]["bookmarks"] == 7
    for name, value in _environment(context).items():
        monkeypatch.setenv(name, value)
    for command in ("rebuild", "roll-up", "partitions"):
        result = CliRunner().invoke(main, ["activity", command], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert data(ada, "statistics")["totals"]["bookmarks"] == 1
    assert roll_ups.roll_up() <= utc_now()


def _environment(app: Flask) -> dict[str, str]:
    settings = app.extensions["settings"]
    return {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL, "ENVIRONMENT": "testing"}
