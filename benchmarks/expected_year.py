"""The numbers of the dashboard over a simulated year, computed in Python from the events, without any SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, get_args
from zoneinfo import ZoneInfo

from backend.bookmarks.models import CAPTURE_STATUSES
from backend.projects.schemas import ProjectStatus
from backend.tasks.schemas import Status as TaskStatus
from benchmarks.simulated_content import SimulatedContent
from benchmarks.simulated_year import ROLES, Event, SimulatedYear

SERIES = {
    "user.joined": "users",
    "bookmark.created": "bookmarks",
    "bookmark.imported": "bookmarks",
    "bookmark.captured": "captures",
    "task.completed": "tasks_completed",
    "bookmark.recommendation_opened": "recommendations_opened",
}
NAMES = (*dict.fromkeys(SERIES.values()), "searches")
IDLE = timedelta(minutes=30)


def of_team(year: SimulatedYear, team: int | None) -> SimulatedYear:
    """Return what an organization has of a year; None for all."""
    if team is None:
        return year
    members, events, searches = (
        [one for one in rows if one.organization == team]  # type: ignore[attr-defined]
        for rows in (year.members, year.events, year.searches)
    )
    return SimulatedYear(year.now, [team], members, events, searches)


def expected_series(
    year: SimulatedYear, zone: str, interval: str, first: date, last: date, first_weekday: int = 0
) -> list[dict[str, Any]]:
    """Return the points of `/dashboard/statistics`; `first_weekday`, of weeks, as `date.weekday` counts."""
    sums: Counter[tuple[date, str]] = Counter()
    for moment, name, count in _counts(year):
        sums[first_day(moment.astimezone(ZoneInfo(zone)).date(), interval, first_weekday), name] += count
    points = []
    at = first_day(first, interval, first_weekday)
    while at <= last:
        points.append({**{name: sums[at, name] for name in NAMES}, "date": at.isoformat()})
        at = following(at, interval)
    return points


def _counts(year: SimulatedYear) -> Iterator[tuple[datetime, str, int]]:
    yield from ((event.moment, SERIES[event.type], event.count) for event in year.events if event.type in SERIES)
    yield from ((search.bucket, "searches", search.count) for search in year.searches)


def first_day(day: date, interval: str, first_weekday: int = 0) -> date:
    """Return the first day of the interval that a day is in."""
    if interval == "week":
        return day - timedelta(days=(day.weekday() - first_weekday) % 7)
    return day.replace(day=1) if interval == "month" else day


def following(day: date, interval: str) -> date:
    """Return the first day of the interval after one that begins with `day`."""
    if interval == "month":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if interval == "week" else 1)


def expected_users(year: SimulatedYear, now: datetime, zone: str) -> dict[str, Any]:
    """Return `users` of the metrics of an organization."""
    period = midnight(now, zone, 29)
    present = [member for member in year.members if member.until is None]
    before = [member for member in year.members if member.since < period and (member.until or now) >= period]
    return {
        "total": len(present),
        "growth_rate": _growth(len(present), len(before)),
        "by_role": {role: sum(member.role == role for member in present) for role in ROLES},
        **_active(year, now, zone),
    }


def expected_accounts(year: SimulatedYear, now: datetime, zone: str, admins: int) -> dict[str, Any]:
    """Return `users` of the metrics of the server: who has left an organization has an account all the same."""
    before = sum(member.since < midnight(now, zone, 29) for member in year.members)
    return {
        "total": len(year.members),
        "growth_rate": _growth(len(year.members), before),
        "by_role": {"user": len(year.members) - admins, "admin": admins},
        **_active(year, now, zone),
    }


def _growth(present: int, before: int) -> float | None:
    return round((present - before) / before, 4) if before else None


def _active(year: SimulatedYear, now: datetime, zone: str) -> dict[str, int]:
    since = {"active_today": midnight(now, zone, 0), "active_week": midnight(now, zone, 6)}
    return {
        name: len({event.user for event in year.events if event.moment >= moment and event.user})
        for name, moment in since.items()
    }


def midnight(now: datetime, zone: str, days: int) -> datetime:
    """Return the beginning of the day that was so many days ago."""
    local = ZoneInfo(zone)
    return datetime.combine(now.astimezone(local).date() - timedelta(days=days), time(), local)


def expected_engagement(year: SimulatedYear, now: datetime, zone: str) -> dict[str, Any]:
    """Return `engagement` of the metrics."""
    period = midnight(now, zone, 29)
    events = [event for event in year.events if event.moment >= period]
    sessions = sessions_of(events)
    return {
        "sessions": len(sessions),
        "avg_session_seconds": round(sum(sessions) / len(sessions), 1) if sessions else None,
        "searches": sum(search.count for search in year.searches if search.bucket >= period),
        "recommendations_opened": sum(event.type == "bookmark.recommendation_opened" for event in events),
    }


def sessions_of(events: Iterable[Event]) -> list[float]:
    """Return the seconds of each session: a person's events with at most thirty minutes from one to the next."""
    own = sorted((event.user, event.moment) for event in events if event.user)
    return [seconds for _, group in groupby(own, lambda one: one[0]) for seconds in _sessions([m for _, m in group])]


def _sessions(moments: Sequence[datetime]) -> Iterator[float]:
    begin = before = moments[0]
    for moment in moments[1:]:
        if moment - before > IDLE:
            yield (before - begin).total_seconds()
            begin = moment
        before = moment
    yield (before - begin).total_seconds()


def expected_content(content: SimulatedContent, team: int | None) -> dict[str, Any]:
    """Return `content` of the metrics of an organization, or of the server: None."""
    bookmarks = [row for row in content.bookmarks if team in (None, row.organization)]
    kept = [row for row in bookmarks if not row.is_deleted]
    hidden = {project.id for project in content.projects if project.is_deleted}
    tasks = [row for row in content.tasks if not row.is_deleted and row.project not in hidden]
    return {
        "bookmarks": {
            **_by_status(kept, CAPTURE_STATUSES, None),
            "unread": sum(not row.is_read for row in kept),
            "favorite": sum(row.is_favorite for row in kept),
            "archived": sum(row.is_archived for row in kept),
            "trashed": len(bookmarks) - len(kept),
        },
        "projects": _by_status([row for row in content.projects if not row.is_deleted], get_args(ProjectStatus), team),
        "tasks": _by_status(tasks, get_args(TaskStatus), team),
    }


def _by_status(rows: Iterable[Any], statuses: Sequence[str], team: int | None) -> Mapping[str, Any]:
    counted = Counter(row.status for row in rows if team in (None, row.organization))
    return {"total": counted.total(), "by_status": {status: counted[status] for status in statuses}}
