"""Every number of a simulated year against an independent computation over the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from backend.activity import roll_ups
from backend.extensions import db
from backend.redis.client import redis_client
from benchmarks.simulated_year import EDGES, Event, SimulatedYear
from tests.dashboard.conftest import MemberApi

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
SERIES = {
    "user.joined": "users",
    "bookmark.created": "bookmarks",
    "bookmark.imported": "bookmarks",
    "bookmark.captured": "captures",
    "task.completed": "tasks_completed",
    "bookmark.recommendation_opened": "recommendations_opened",
}
ZERO = dict.fromkeys((*SERIES.values(), "searches"), 0)
COUNTS = text("SELECT organization_id, series, bucket, count FROM activity_counts WHERE source = '' ORDER BY 1, 2, 3")


def of(year: SimulatedYear, team: int) -> list[Event]:
    return [event for event in year.events if event.organization == team]


def first_day(moment: datetime, zone: str, interval: str) -> date:
    day = moment.astimezone(ZoneInfo(zone)).date()
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def following(day: date, interval: str) -> date:
    if interval == "month":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if interval == "week" else 1)


def expected_series(events: Iterable[Event], zone: str, interval: str, first: date, last: date) -> list[dict[str, Any]]:
    sums: Counter[tuple[date, str]] = Counter()
    for event in events:
        if event.type in SERIES:
            sums[first_day(event.moment, zone, interval), SERIES[event.type]] += event.count
    points = []
    at = first_day(datetime(first.year, first.month, first.day, 12, tzinfo=ZoneInfo(zone)), zone, interval)
    while at <= last:
        points.append({**{name: sums[at, name] for name in ZERO}, "date": at.isoformat()})
        at = following(at, interval)
    return points


@pytest.mark.parametrize("zone", ["UTC", *EDGES, "Pacific/Auckland"])
@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_statistics_are_those_of_the_events(
    year: SimulatedYear, members: list[MemberApi], zone: str, interval: str
) -> None:
    last = year.now.astimezone(ZoneInfo(zone)).date()
    first = last - timedelta(days=399)
    for api in members[:2]:
        query = {"from": first.isoformat(), "to": last.isoformat(), "interval": interval, "time_zone": zone}
        data = api.get("/dashboard/statistics", **query).json["data"]
        wanted = expected_series(of(year, api.team), zone, interval, first, last)
        assert data["series"] == wanted
        assert data["totals"] == {name: sum(point[name] for point in wanted) for name in ZERO}
        assert (data["from"], data["interval"], data["time_zone"]) == (wanted[0]["date"], interval, zone)
        assert data["to"] == (following(date.fromisoformat(wanted[-1]["date"]), interval) - timedelta(1)).isoformat()


def test_the_default_is_thirty_days_that_end_today(year: SimulatedYear, members: list[MemberApi]) -> None:
    last = year.now.date()
    data = members[2].get("/dashboard/statistics").json["data"]
    assert data["series"] == expected_series(of(year, members[2].team), "UTC", "day", last - timedelta(29), last)
    assert datetime.fromisoformat(data["recorded_since"]) <= min(event.moment for event in of(year, members[2].team))


def test_rolled_up_and_raw_counts_are_the_same(year: SimulatedYear, members: list[MemberApi], context: None) -> None:
    rolled = db.session.execute(COUNTS).all()
    sums: Counter[tuple[int, str, datetime]] = Counter()
    for event in year.events:
        if event.type in SERIES and event.moment < roll_ups.bucket_of(year.now - roll_ups.SETTLED):
            sums[event.organization, SERIES[event.type], roll_ups.bucket_of(event.moment)] += event.count
    assert {(team, series, bucket): count for team, series, bucket, count in rolled} == sums
    db.session.execute(text("UPDATE activity_counts SET count = 999 WHERE organization_id = 1001"))
    db.session.execute(text("DELETE FROM activity_counts WHERE organization_id = 1002"))
    db.session.commit()
    roll_ups.rebuild()
    assert db.session.execute(COUNTS).all() == rolled


@pytest.fixture(scope="module")
def context(migrated_app: Flask, year: SimulatedYear) -> None:
    """The tables hold the year; the application context is that of the fixture."""


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_metrics_are_those_of_the_events(year: SimulatedYear, members: list[MemberApi], zone: str) -> None:
    redis_client().flushall()
    for api in members:
        answer = api.get("/dashboard/metrics", time_zone=zone).json
        data, now = answer["data"], datetime.fromisoformat(answer["metadata"]["timestamp"])
        events = of(year, api.team)
        today = now.astimezone(ZoneInfo(zone)).date()
        period, week = midnight(today - timedelta(29), zone), midnight(today - timedelta(6), zone)
        assert datetime.fromisoformat(data["period_start"]) == period
        present = [member for member in year.members if member.organization == api.team and not member.until]
        before = [
            member
            for member in year.members
            if member.organization == api.team and member.since < period and (member.until or now) >= period
        ]
        assert data["users"] == {
            "total": len(present),
            "active_today": active(events, midnight(today, zone)),
            "active_week": active(events, week),
            "growth_rate": round((len(present) - len(before)) / len(before), 4) if before else None,
            "by_role": {role: sum(m.role == role for m in present) for role in ("owner", "editor", "viewer")},
        }
        sessions = sessions_of([event for event in events if event.moment >= period])
        assert data["engagement"] == {
            "sessions": len(sessions),
            "avg_session_seconds": round(sum(sessions) / len(sessions), 1) if sessions else None,
            "searches": 0,
            "recommendations_opened": sum(
                event.type == "bookmark.recommendation_opened" for event in events if event.moment >= period
            ),
        }


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def active(events: Iterable[Event], since: datetime) -> int:
    return len({event.user for event in events if event.moment >= since and event.user})


def sessions_of(events: Iterable[Event]) -> list[float]:
    """The seconds of each session: a person's events with at most thirty minutes between one and the next."""
    durations: list[float] = []
    moments: dict[int, list[datetime]] = {}
    for event in events:
        if event.user:
            moments.setdefault(event.user, []).append(event.moment)
    for own in moments.values():
        own.sort()
        begin = before = own[0]
        for moment in [*own[1:], None]:
            if moment is None or moment - before > timedelta(minutes=30):
                durations.append((before - begin).total_seconds())
                begin = moment or begin
            before = moment or before
    return durations


def test_the_feed_tells_all_visible_events_of_one_organization_alone(
    year: SimulatedYear, members: list[MemberApi]
) -> None:
    for api in members[1:3]:
        wanted = [
            event
            for event in of(year, api.team)
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
