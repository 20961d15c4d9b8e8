"""Charts over HTTP: the pictures' numbers are those of the API, and what a page and its reader need of a picture."""

from __future__ import annotations

import gzip
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.dashboard.charts.drawing import whole_ticks
from backend.dashboard.charts.labels import columns_of, shortened
from backend.extensions import db
from backend.http.middleware.security_headers import API_POLICY, PICTURES_POLICY
from backend.redis.resilient import ResilientRedis
from tests.capture.local_server import response, running
from tests.dashboard.pictures import SVG, lengths_of, numbers_of, parse, texts_of
from tests.profile.teams import make_team
from tests.support.api import Api
from tests.support.browser import CHROMIUM, browse
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
NAMES = ("activity", "growth", "tags", "reading")
HOSTILE = (
    *("</text><script>alert(1)</script>", "עברית ותגית", "👩‍👩‍👧‍👦 family", "a & b"),
    *("x" * 100, "データベース設計", "a\x01b", "\u202eodd"),
)


def picture(person: Api, name: str, **options: Any) -> bytes:
    answer = person.request("GET", f"/dashboard/charts/{name}.svg", **options)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "image/svg+xml; charset=utf-8"
    return answer.data


def execute(statement: str, **values: Any) -> None:
    db.session.execute(text(statement), values)
    db.session.commit()


def save_some(person: Api) -> None:
    """Bookmarks with tags at different times, read in different weeks."""
    for place in range(9):
        tags = [*HOSTILE[: place + 1], "common"]
        saved = person.save(f"https://example.org/{place}", tags=tags)
        person.patch(f"/bookmarks/{saved['id']}", {"is_read": True})
        execute(
            "UPDATE bookmarks SET read_at = now() - make_interval(days => :read),"
            " created_at = now() - make_interval(days => :age) WHERE id = :id",
            read=place * place, age=place * 7, id=saved["id"],
        )  # fmt: skip
    person.post("/tasks", {"title": "T", "status": "done"})


def day_name(day: str) -> str:
    return f"{date.fromisoformat(day).day} {date.fromisoformat(day):%b %Y}"


def test_tags_and_reading_show_the_numbers_of_the_insights(ada: Api, context: Flask) -> None:
    ada.patch("/profile", {"time_zone": "Asia/Kathmandu", "week_start": "sunday"})
    save_some(ada)
    ada.patch("/profile", {})
    told = ada.get("/dashboard/insights").json["data"]
    drawn = numbers_of(tags := picture(ada, "tags"))
    # The first bar is the lowest.
    top = [(re.sub(r"\x01", "\ufffd", tag["name"]), tag) for tag in reversed(told["top_tags"])]
    assert len(top) == 9
    assert list(drawn["Last 30 days"].items()) == [(name, tag["saved"]) for name, tag in top]
    assert list(drawn["30 days before"].items()) == [(name, tag["saved_before"]) for name, tag in top]
    weeks = told["reading_pace"]["weeks"]
    drawn = numbers_of(reading := picture(ada, "reading"))
    assert drawn == {"Bookmarks read": {f"week from {day_name(week['first_day'])}": week["read"] for week in weeks}}
    assert sum(drawn["Bookmarks read"].values()) > 5
    assert {date.fromisoformat(week["first_day"]).weekday() for week in weeks} == {6}
    assert f"Read in each week: {told['reading_pace']['per_week']:g} on average" in texts_of(reading)
    for lengths in (lengths_of(tags, "width"), lengths_of(reading, "height")):
        unit = max(length for _, length in lengths) / max(number for number, _ in lengths)
        assert [round(length / unit, 6) for _, length in lengths] == [number for number, _ in lengths]


def test_activity_and_growth_show_the_numbers_of_the_statistics(ada: Api, context: Flask) -> None:
    save_some(ada)
    ada.patch("/profile", {"time_zone": "Pacific/Apia", "week_start": "saturday"})
    counts = ada.get("/dashboard/statistics").json["data"]
    activity = picture(ada, "activity")
    drawn = numbers_of(activity)
    names = {
        "Bookmarks": "bookmarks", "Captures": "captures", "Searches": "searches",
        "Tasks done": "tasks_completed", "Recommendations": "recommendations_opened",
    }  # fmt: skip
    assert drawn == {
        name: {day_name(point["date"]): point[field] for point in counts["series"]} for name, field in names.items()
    }
    assert drawn["Bookmarks"][day_name(counts["to"])] == 9
    labels = [f"{day.day} {day:%b}" for day in _days(counts) if day.weekday() == 5]
    assert [label for label in texts_of(activity) if label in labels] == labels
    counts = ada.get("/dashboard/statistics", interval="month").json["data"]
    drawn = numbers_of(picture(ada, "growth"))
    for name, field in {"Bookmarks": "bookmarks", "Tasks done": "tasks_completed", "Members": "users"}.items():
        sums = [sum(point[field] for point in counts["series"][: end + 1]) for end in range(12)]
        assert list(drawn[name].values()) == sums
        assert sums[-1] == counts["totals"][field] >= 1


def _days(counts: dict[str, Any]) -> list[date]:
    return [date.fromisoformat(point["date"]) for point in counts["series"]]


def test_tags_are_texts_whatever_they_hold(ada: Api, context: Flask) -> None:
    save_some(ada)
    root = parse(picture(ada, "tags"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "style", "g", "rect", "path", "text"
    }  # fmt: skip
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    shown = texts_of(picture(ada, "tags"))
    assert {"a & b", "</text><script>…", "xxxxxxxxxxxxxxx…", "עברית ותגית", "a\ufffdb"} <= set(shown)
    assert not [name for name in shown if len(name) > 40]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_says_what_it_shows(ada: Api, name: str) -> None:
    for is_filled in (False, True):
        if is_filled:
            saved = ada.save("https://example.org/", tags=["tag"])
            ada.patch(f"/bookmarks/{saved['id']}", {"is_read": True})
        root = parse(picture(ada, name))
        assert root.get("role") == "img"
        assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
        assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
        assert root[0].text in texts_of(picture(ada, name))
        assert root[1].text.endswith(".")
        assert (root.get("viewBox") or "").startswith("0 0 400 ")
        assert (root.get("width"), root.get("height")) == (None, None)
        assert "prefers-color-scheme: dark" in root[2].text
        said = [shown for shown in texts_of(picture(ada, name)) if re.match("No(thing| tag) was", shown)]
        # Somebody is always a member.
        assert len(said) == (not is_filled and name != "growth")


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_cached_like_the_numbers_that_it_shows(ada: Api, sql: SqlCounter, name: str) -> None:
    path = f"/dashboard/charts/{name}.svg"
    ada.save("https://example.org/", tags=["tag"])
    ada.get("/profile")
    with sql.at_most(2):
        cold = ada.get(path)
    sql.clear()
    warm = ada.get(path)
    coded = ada.request("GET", path, headers={"Accept-Encoding": "gzip"})
    known = ada.request("GET", path, headers={"If-None-Match": cold.headers["ETag"]})
    head = ada.request("HEAD", path)
    assert sql.statements == []
    assert warm.data == cold.data == gzip.decompress(coded.data)
    assert (known.status_code, known.data, head.status_code, head.data) == (304, b"", 200, b"")
    for answer in (cold, warm, known):
        assert answer.headers["ETag"] == f'"{cold.headers["ETag"].strip(chr(34))}"'
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Content-Security-Policy"] == PICTURES_POLICY
    assert warm.content_type == cold.content_type == coded.content_type == head.content_type
    saved = ada.save("https://example.org/new", tags=["another tag"])
    ada.patch(f"/bookmarks/{saved['id']}", {"is_read": True})
    assert ada.get(path).data != cold.data


def test_days_of_a_picture_follow_the_profile(ada: Api) -> None:
    ada.save("https://example.org/")
    ada.patch("/profile", {"time_zone": "Pacific/Kiritimati"})
    east = numbers_of(picture(ada, "activity"))
    ada.patch("/profile", {"time_zone": "Pacific/Pago_Pago"})
    west = numbers_of(picture(ada, "activity"))
    assert next(reversed(east["Bookmarks"])) != next(reversed(west["Bookmarks"]))


def test_without_redis_the_same_numbers_make_the_same_picture(ada: Api, no_redis: ResilientRedis) -> None:
    first, again = (ada.get("/dashboard/charts/reading.svg") for _ in range(2))
    assert first.data == again.data
    headers = {"If-None-Match": first.headers["ETag"]}
    known = ada.request("GET", "/dashboard/charts/reading.svg", headers=headers)
    assert (known.status_code, known.headers["Content-Security-Policy"]) == (304, PICTURES_POLICY)
    compressed = ada.request("GET", "/dashboard/charts/reading.svg", headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"


def test_organizations_do_not_see_each_other(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, viewer=bob)
    header = {"X-Organization-ID": str(team)}
    made = ada.post("/bookmarks", {"url": "https://example.org/", "tags": ["s3cret"], "capture": False}, headers=header)
    ada.patch(f"/bookmarks/{made.json['id']}", {"is_read": True}, headers=header)
    for name in NAMES:
        own, other = picture(ada, name, headers=header), picture(bob, name)
        assert any(number for series in numbers_of(own).values() for number in series.values())
        assert not sum(numbers_of(other).get("Bookmarks", {}).values())
        assert b"s3cret" not in other + picture(ada, name)
        # In a team a person's insights are of what they themselves saved.
        assert b"s3cret" not in picture(bob, name, headers=header)
    assert sum(numbers_of(picture(bob, "activity", headers=header))["Bookmarks"].values()) == 1


def test_a_token_sees_what_it_reaches(ada: Api) -> None:
    def statuses(*scopes: str) -> list[int]:
        made = ada.post("/auth/tokens", {"name": "t", "scopes": list(scopes)}).json
        token = Api(ada.app, token=made["token"])
        return [token.get(f"/dashboard/charts/{name}.svg").status_code for name in NAMES]

    assert statuses("dashboard:read") == [200, 200, 403, 403]
    assert statuses("dashboard:read", "bookmarks:read") == [200] * 4
    assert statuses("bookmarks:read") == [403] * 4


def test_what_is_no_chart_is_refused(ada: Api, anonymous: Api) -> None:
    assert ada.get("/dashboard/charts/other.svg").status_code == 404
    assert ada.get("/dashboard/charts/activity.svg", interval="week").status_code == 422
    refused = anonymous.get("/dashboard/charts/activity.svg")
    assert (refused.status_code, refused.content_type) == (401, "application/problem+json")
    assert ada.get("/dashboard/statistics").headers["Content-Security-Policy"] == API_POLICY


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0]), (1, [0, 1]), (5, [0, 1, 2, 3, 4, 5]), (6, [0, 2, 4, 6]), (7, [0, 2, 4, 6, 8]), (11, [0, 5, 10, 15])],
)
def test_an_axis_counts_in_whole_numbers(most: int, ticks: list[int]) -> None:
    assert whole_ticks(most) == ticks


@pytest.mark.parametrize("most", [1, 9, 10, 99, 101, 4_999, 5_001, 123_456_789])
def test_an_axis_has_few_numbers_and_reaches_the_highest(most: int) -> None:
    ticks = whole_ticks(most)
    assert 2 <= len(ticks) <= 6
    assert ticks[-2] < most <= ticks[-1]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("short", "short"),
        ("exactly ten", "exactly t…"),
        ("データベース設計", "データベ…"),
        ("e\u0301" * 10, "e\u0301" * 10),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦…"),
        ("", ""),
    ],
)
def test_a_long_label_is_cut_to_its_columns(name: str, shown: str) -> None:
    cut = shortened(name, 10)
    assert cut == f"\u2068{shown}\u2069"
    assert columns_of(cut) <= 10


@pytest.mark.processes
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_draws_it_under_the_policy(ada: Api, tmp_path: Path) -> None:
    """The server's own answer, as a document of its own: its style sheet is applied, and nothing in it runs."""
    ada.save("https://example.org/", tags=["<script>document.documentElement.remove()</script>"])
    answer = ada.get("/dashboard/charts/tags.svg")
    with running() as server:
        headers = {"content_type": answer.content_type, "content_security_policy": PICTURES_POLICY}
        server.answers["/tags.svg"] = response(body=answer.data, **headers)
        dom, console = browse(server.url("/tags.svg"), tmp_path)
    assert "&lt;script&gt;" in dom
    assert "Most saved tags" in dom
    assert "Content Security Policy" not in console
