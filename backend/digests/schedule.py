"""When a digest is due: at eight in the morning on the first day of the person's week, in their time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.auth.preferences import WEEKDAYS

HOUR = time(8)
WEEK = timedelta(days=7)


def week_of(moment: datetime, zone: ZoneInfo, week_start: str) -> date:
    """Return the first day of the week of a moment, in a time zone."""
    today = moment.astimezone(zone).date()
    return today - timedelta(days=(today.weekday() - WEEKDAYS[week_start]) % 7)


def next_due(after: datetime, zone: ZoneInfo, week_start: str, last: date | None = None) -> datetime:
    """Return when the next digest is due, in UTC; `last` is the week of the last one.

    Another time zone or first day brings it no sooner than seven days after the week of the last one.
    """
    week = week_of(after, zone, week_start)
    while _begin(week, zone) <= after or (last is not None and week < last + WEEK):
        week += WEEK
    return _begin(week, zone)


def _begin(week: date, zone: ZoneInfo) -> datetime:
    # The zone's offset is that of the day itself: a change of the clocks moves the time in UTC.
    return datetime.combine(week, HOUR, zone).astimezone(UTC)
