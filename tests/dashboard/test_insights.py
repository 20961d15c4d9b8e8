"""Insights: each number against what was made, in the person's weeks, and how they are cached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests.profile.teams import make_team
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def insights(person: Api, **options: Any) -> dict[str, Any]:
    answer = person.request("GET", "/dashboard/insights", **options)
    assert answer.status_code == 200, answer.json
    assert (answer.json["status"], set(answer.json)) == ("success", {"status", "data", "metadata"})
    told: dict[str, Any] = answer.json["data"]
    return told


def execute(statement: str, **values: Any) -> None:
    db.session.execute(text(statement), values)
    db.session.commit()


def make_bookmarks(person: Api, rows: list[dict[str, Any]]) -> None:
    """Bookmarks below the API, with times of their own: `age` and `read` are days ago, `tags` names."""
    for place, row in enumerate(rows):
        saved = person.save(f"https://{row.get('domain', 'example.org')}/{place}", tags=row.get("tags", []))
        execute(
            "UPDATE bookmarks SET created_at = now() - make_interval(hours => :hours) WHERE id = :id",
            hours=int(row.get("age", 0) * 24),
            id=saved["id"],
        )
        if "read_at" in row:
            execute("UPDATE bookmarks SET is_read = true WHERE id = :id", id=saved["id"])
            execute("UPDATE bookmarks SET read_at = :at WHERE id = :id", at=row["read_at"], id=saved["id"])
    person.patch("/profile", {})  # What is cached of the person is invalid.


def test_the_envelope_says_whether_it_was_cached(ada: Api, sql: SqlCounter) -> None:
    ada.get("/profile")
    with sql.at_most(7):
        cold = ada.get("/dashboard/insights")
    with sql.at_most(0):
        warm = ada.get("/dashboard/insights")
    assert [answer.json["metadata"]["cached"] for answer in (cold, warm)] == [False, True]
    assert cold.json["metadata"]["timestamp"] == warm.json["metadata"]["timestamp"]
    assert warm.json["metadata"]["cache_ttl"] == 300
    assert cold.json["data"] == warm.json["data"]
    known = cold.headers["ETag"].removeprefix("W/")
    assert ada.request("GET", "/dashboard/insights", headers={"If-None-Match": known}).status_code == 304


def test_a_write_is_seen_at_once(ada: Api) -> None:
    assert insights(ada)["backlog"]["total"] == 0
    saved = ada.save("https://example.org/a")
    assert insights(ada)["backlog"]["total"] == 1
    ada.patch(f"/bookmarks/{saved['id']}", {"is_read": True})
    told = insights(ada)
    assert (told["backlog"]["total"], told["reading_pace"]["weeks"][-1]["read"]) == (0, 1)


def test_the_number_of_statements_does_not_depend_on_rows(ada: Api, context: Flask, sql: SqlCounter) -> None:
    rows = [{"tags": ["a", "b"], "age": age, "domain": f"d{age}.example"} for age in range(12)]
    make_bookmarks(ada, rows)
    for name in ("One", "Two"):
        ada.post("/projects", {"name": name})
    execute("UPDATE projects SET updated_at = now() - interval '40 days'")
    ada.patch("/profile", {"week_start": "sunday"})
    ada.get("/profile")
    with sql.at_most(7):
        ada.get("/dashboard/insights")


@pytest.mark.parametrize(
    "mark",
    [
        lambda person, id_: person.patch(f"/bookmarks/{id_}", {"is_read": True}),
        lambda person, id_: person.post("/bookmarks/actions", {"ids": [id_], "action": "read"}),
        lambda person, id_: person.post("/bookmarks", {"url": "https://example.org/0", "is_read": True}),
    ],
)
def test_reading_is_noted_however_it_is_said(ada: Api, context: Flask, mark: Callable[[Api, int], Any]) -> None:
    saved = ada.save("https://example.org/0")
    assert mark(ada, saved["id"]).status_code == 200
    assert db.session.scalar(text("SELECT read_at BETWEEN now() - interval '1 minute' AND now() FROM bookmarks"))
    first = db.session.scalar(text("SELECT read_at FROM bookmarks"))
    db.session.commit()
    mark(ada, saved["id"])
    ada.patch(f"/bookmarks/{saved['id']}", {"title": "changed", "is_favorite": True})
    assert db.session.scalar(text("SELECT read_at FROM bookmarks")) == first
    db.session.commit()
    ada.patch(f"/bookmarks/{saved['id']}", {"is_read": False})
    assert db.session.scalar(text("SELECT read_at FROM bookmarks")) is None


def test_what_came_in_as_read_has_no_time_of_reading(ada: Api, context: Flask) -> None:
    ada.save("https://example.org/a", is_read=True)
    assert db.session.scalar(text("SELECT read_at FROM bookmarks")) is None
    assert [week["read"] for week in insights(ada)["reading_pace"]["weeks"]] == [0] * 12


@pytest.mark.parametrize("week_start", ["monday", "sunday", "saturday"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/Los_Angeles", "Pacific/Apia"])
def test_the_pace_is_that_of_the_persons_weeks(ada: Api, context: Flask, zone: str, week_start: str) -> None:
    """Twelve weeks with what was read just at their bounds, counted here in Python."""
    ada.patch("/profile", {"time_zone": zone, "week_start": week_start})
    first_weekday = {"monday": 0, "saturday": 5, "sunday": 6}[week_start]
    today = datetime.now(ZoneInfo(zone)).date()
    present = today - timedelta(days=(today.weekday() - first_weekday) % 7)
    bounds = [present - timedelta(weeks=weeks) for weeks in (12, 11, 5, 1, 0)]
    starts = [datetime.combine(bound, time(), ZoneInfo(zone)).astimezone(UTC) for bound in bounds]
    moments = [start + delta for start in starts for delta in (timedelta(seconds=-1), timedelta())]
    moments = [moment for moment in moments if moment <= datetime.now(UTC)]
    make_bookmarks(ada, [{"read_at": moment} for moment in moments])
    expected = dict.fromkeys([present - timedelta(weeks=weeks) for weeks in range(11, -1, -1)], 0)
    for moment in moments:
        day = moment.astimezone(ZoneInfo(zone)).date()
        week = day - timedelta(days=(day.weekday() - first_weekday) % 7)
        if week in expected:
            expected[week] += 1
    pace = insights(ada)["reading_pace"]
    assert [(date.fromisoformat(week["first_day"]), week["read"]) for week in pace["weeks"]] == list(expected.items())
    assert pace["per_week"] == round(sum(list(expected.values())[:-1]) / 11, 2)
    assert insights(ada)["time_zone"] == zone


def test_the_backlog_is_counted_by_age(ada: Api, context: Flask) -> None:
    make_bookmarks(ada, [{"age": age} for age in (0, 6, 8, 29, 31, 89, 91, 364, 366, 800)])
    archived, trashed = (ada.save(f"https://example.org/{name}")["id"] for name in ("archived", "trashed"))
    ada.patch(f"/bookmarks/{archived}", {"is_archived": True})
    ada.delete(f"/bookmarks/{trashed}")
    backlog = insights(ada)["backlog"]
    assert backlog["total"] == 10
    assert [(age["from_days"], age["to_days"], age["unread"]) for age in backlog["by_age"]] == [
        (0, 7, 2), (7, 30, 2), (30, 90, 2), (90, 365, 2), (365, None, 2)
    ]  # fmt: skip
    assert datetime.now(UTC) - datetime.fromisoformat(backlog["oldest_created_at"]) > timedelta(days=799)


def test_trends_compare_thirty_days_with_the_thirty_before(ada: Api, context: Flask) -> None:
    rows = [
        *({"age": age, "tags": ["up"], "domain": "up.example"} for age in (1, 2, 29, 45)),
        *({"age": age, "tags": ["down"], "domain": "down.example"} for age in (3, 31, 59)),
        *({"age": age, "tags": ["gone"], "domain": "gone.example"} for age in (32, 33)),
        {"age": 5, "tags": ["new"], "domain": "new.example"},
        {"age": 61, "tags": ["old"], "domain": "old.example"},
    ]
    make_bookmarks(ada, rows)
    told = insights(ada)
    expected = [("up", 3, 1, 2.0), ("down", 1, 2, -0.5), ("new", 1, 0, None), ("gone", 0, 2, -1.0)]
    for section, suffix in (("top_tags", ""), ("top_domains", ".example")):
        rows = [tuple(row.values()) for row in told[section]]
        assert rows == [(name + suffix, *numbers) for name, *numbers in expected]


def test_pairs_of_tags_are_counted_once(ada: Api, context: Flask) -> None:
    make_bookmarks(
        ada, [{"tags": ["b", "a", "c"]}, {"tags": ["a", "b"]}, {"tags": ["c", "a"]}, {"tags": ["a", "b", "d"]}]
    )
    pairs = {tuple(sorted(pair["tags"])): pair["bookmarks"] for pair in insights(ada)["tag_pairs"]}
    assert pairs == {("a", "b"): 3, ("a", "c"): 2}


def test_forgotten_projects_are_those_in_which_nothing_changed(ada: Api, context: Flask) -> None:
    names = ("long forgotten", "forgotten", "new task", "new bookmark", "paused", "trashed", "fresh")
    ids = {name: ada.post("/projects", {"name": name}).json["id"] for name in names}
    done, open_ = (ada.post("/tasks", {"title": t, "project_id": ids["forgotten"]}).json["id"] for t in ("a", "b"))
    ada.patch(f"/tasks/{done}", {"status": "done"})
    execute("UPDATE tasks SET updated_at = now() - interval '35 days' WHERE id IN (:one, :two)", one=done, two=open_)
    ada.post("/tasks", {"title": "now", "project_id": ids["new task"]})
    saved = ada.save("https://example.org/a")
    ada.put(f"/projects/{ids['new bookmark']}/bookmarks/{saved['id']}", {})
    ada.patch(f"/projects/{ids['paused']}", {"status": "paused"})
    ada.delete(f"/projects/{ids['trashed']}")
    execute("UPDATE projects SET updated_at = now() - interval '31 days' WHERE name <> 'fresh'")
    execute("UPDATE projects SET updated_at = now() - interval '90 days' WHERE name LIKE '%forgotten'")
    ada.patch("/profile", {})
    told = insights(ada)["forgotten_projects"]
    assert [(row["id"], row["name"], row["open_tasks"]) for row in told] == [
        (ids["long forgotten"], "long forgotten", 0), (ids["forgotten"], "forgotten", 1)
    ]  # fmt: skip
    days = [(datetime.now(UTC) - datetime.fromisoformat(row["last_changed_at"])).days for row in told]
    assert days == [90, 35]


def test_in_a_team_it_is_what_the_person_saved(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, viewer=bob)
    header = {"X-Organization-ID": str(team)}
    ada.post("/bookmarks", {"url": "https://example.org/a", "tags": ["t"], "capture": False}, headers=header)
    ada.post("/projects", {"name": "Ada's"}, headers=header)
    execute("UPDATE projects SET updated_at = now() - interval '31 days'")
    ada.save("https://example.org/own")
    ada.save("https://example.org/own2")
    told = insights(ada, headers=header)
    assert (told["backlog"]["total"], told["top_tags"][0]["name"], len(told["forgotten_projects"])) == (1, "t", 1)
    assert insights(ada)["backlog"]["total"] == 2
    told = insights(bob, headers=header)
    assert (told["backlog"]["total"], told["top_tags"], told["top_domains"], told["forgotten_projects"]) == (
        0,
        [],
        [],
        [],
    )


def test_a_token_learns_what_it_reaches_and_no_more(ada: Api) -> None:
    ada.save("https://secret.example/a", tags=["secret"])
    made = ada.post("/auth/tokens", {"name": "script", "scopes": ["dashboard:read", "projects:read"]}).json
    told = insights(Api(ada.app, token=made["token"]))
    assert told["forgotten_projects"] == []
    assert [told[name] for name in ("reading_pace", "backlog", "top_tags", "top_domains", "tag_pairs")] == [None] * 5
