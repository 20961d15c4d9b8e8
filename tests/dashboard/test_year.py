"""Every number of a simulated year against an independent computation over the same events."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from backend.activity import roll_ups
from backend.auth.preferences import WEEKDAYS
from backend.clock import utc_now
from backend.dashboard.charts.queries import DONE, GROWN
from backend.extensions import db
from benchmarks.dashboard_check import ZONES, DashboardCheck
from benchmarks.expected_year import SERIES, expected_series, of_team
from benchmarks.simulated_year import SimulatedYear
from tests.dashboard.conftest import MemberApi, content_of
from tests.dashboard.pictures import numbers_of

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
COUNTS = text("SELECT organization_id, series, bucket, count FROM activity_counts WHERE source = '' ORDER BY 1, 2, 3")


def headers_of(api: MemberApi) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.token}", "X-Organization-ID": str(api.team)}


@pytest.mark.parametrize("zone", ZONES)
def test_all_numbers_are_those_of_the_events(year: SimulatedYear, members: list[MemberApi], zone: str) -> None:
    """Of organizations by turns: each in two time zones at least, and all in one."""
    check = DashboardCheck(year, content_of(year))
    place = ZONES.index(zone)
    for api in members if zone == "America/New_York" else members[place % 3 :: 3]:
        check.team(api.client, headers_of(api), api.team, zone)
    assert check.differences == []
    assert check.compared > 6 * 3_000


def test_the_default_is_thirty_days_that_end_today(year: SimulatedYear, members: list[MemberApi]) -> None:
    last = year.now.date()
    data = members[2].get("/dashboard/statistics").json["data"]
    own = of_team(year, members[2].team)
    assert data["series"] == expected_series(own, "UTC", "day", last - timedelta(29), last)
    assert datetime.fromisoformat(data["recorded_since"]) <= min(event.moment for event in own.events)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York"])
def test_weeks_begin_as_in_the_profile(year: SimulatedYear, members: list[MemberApi], zone: str) -> None:
    """Also at once after a change of the profile; days and months stay what they are."""
    api = members[4]
    last = year.now.astimezone(ZoneInfo(zone)).date()
    first = last - timedelta(days=399)
    query = {"from": str(first), "to": str(last), "time_zone": zone}
    for week_start, weekday in WEEKDAYS.items():
        api.patch("/profile", {"week_start": week_start})
        for interval in ("day", "week", "month"):
            data = api.get("/dashboard/statistics", interval=interval, **query).json["data"]
            own = of_team(year, api.team)
            assert data["series"] == expected_series(own, zone, interval, first, last, weekday)
    assert date.fromisoformat(data["from"]).day == 1
    api.patch("/profile", {"week_start": "saturday"})
    weeks = api.get("/dashboard/statistics", interval="week").json["data"]
    assert len(weeks["series"]) == 12
    assert [date.fromisoformat(weeks[name]).weekday() for name in ("from", "to")] == [5, 4]
    api.patch("/profile", {"week_start": "monday"})


def test_rolled_up_and_raw_counts_are_the_same(year: SimulatedYear, members: list[MemberApi], context: None) -> None:
    rolled = db.session.execute(COUNTS).all()
    sums: Counter[tuple[int, str, datetime]] = Counter()
    for event in year.events:
        if event.type in SERIES and event.moment < roll_ups.bucket_of(year.now - roll_ups.SETTLED):
            sums[event.organization, SERIES[event.type], roll_ups.bucket_of(event.moment)] += event.count
    assert {(team, series, bucket): count for team, series, bucket, count in rolled} == sums
    db.session.execute(text("UPDATE activity_counts SET count = 999 WHERE source = '' AND organization_id = 1001"))
    db.session.execute(text("DELETE FROM activity_counts WHERE source = '' AND organization_id = 1002"))
    db.session.commit()
    roll_ups.rebuild()
    assert db.session.execute(COUNTS).all() == rolled


@pytest.fixture(scope="module")
def context(migrated_app: Flask, year: SimulatedYear) -> None:
    """The tables hold the year; the application context is that of the fixture."""


def test_those_of_the_server_are_sums_of_all(
    migrated_app: Flask, year: SimulatedYear, members: list[MemberApi], context: None
) -> None:
    role = text("UPDATE users SET role = :role WHERE id = :user")
    db.session.execute(role, {"role": "admin", "user": members[0].user_id})
    db.session.commit()
    admin = MemberApi(migrated_app, members[0].user_id, members[0].team)
    check = DashboardCheck(year, content_of(year))
    for zone in ("UTC", "Asia/Kathmandu"):
        check.server(admin.client, headers_of(admin), zone, admins=1)
    db.session.execute(role, {"role": "user", "user": members[0].user_id})
    db.session.commit()
    assert check.differences == []
    assert check.compared > 50


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_pictures_show_the_numbers_of_the_events(year: SimulatedYear, members: list[MemberApi], zone: str) -> None:
    for api in members[3:6]:
        api.patch("/profile", {"time_zone": zone})
        last = utc_now().astimezone(ZoneInfo(zone)).date()
        days = expected_series(of_team(year, api.team), zone, "day", last - timedelta(days=29), last)
        activity = numbers_of(api.get("/dashboard/charts/activity.svg").data)
        for name, field in DONE.items():
            assert list(activity[field].values()) == [day[name] for day in days]
        months = expected_series(of_team(year, api.team), zone, "month", last - timedelta(days=334), last)
        growth = numbers_of(api.get("/dashboard/charts/growth.svg").data)
        for name, field in GROWN.items():
            assert list(growth[field].values()) == list(accumulate(month[name] for month in months))


def test_the_feed_tells_all_visible_events_of_one_organization_alone(
    year: SimulatedYear, members: list[MemberApi]
) -> None:
    for api in members[1:3]:
        wanted = [
            event
            for event in of_team(year, api.team).events
            if event.type != "bookmark.recommendation_opened" or event.user == api.user_id
        ]
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = api.get("/dashboard/activity", limit=100, **cursor).json["data"]
            seen += page["items"]
            assert page["has_next"] == (page["next_cursor"] is not None)
            if not page["has_next"]:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert len(seen) == len({item["id"] for item in seen}) == len(wanted)
        assert [item["created_at"] for item in seen] == sorted((item["created_at"] for item in seen), reverse=True)
        assert Counter((item["type"], item["user_id"]) for item in seen) == Counter((e.type, e.user) for e in wanted)
