"""Statistics: what happened in each day, week or month of a time zone, with no interval left out."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from backend.activity.roll_ups import MAPPING
from backend.activity.search_counts import unwritten_counts
from backend.actor import Actor
from backend.auth.preferences import calendar_of
from backend.clock import utc_now
from backend.dashboard.metrics import NO_SEARCHES, live_arguments
from backend.dashboard.responses import enclosed
from backend.dashboard.schemas import Counts, Interval, IntervalCounts, Statistics, StatisticsQuery, StatisticsResponse
from backend.errors import Invalid
from backend.extensions import db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)
MOST_YEARS = 5
DAYS_OF_WEEK = 7
# How far before the last day the first one is, unless the query says so.
DEFAULT_DAYS: dict[Interval, int] = {"day": 29, "week": 7 * 11, "month": 334}


def read_statistics(actor: Actor, query: StatisticsQuery) -> StatisticsResponse:
    """Count by interval. One statement, and one for what the person's profile says of time zone and weeks, if needed.

    Raises:
        Invalid: the last day is before the first, or more than five years after it.
    """
    zone, days_before_monday = _calendar(actor, query)
    first, last = _range(query, zone)
    counts = unwritten_counts(actor.organization_id)
    rows = db.session.execute(
        SQL["statistics"],
        {
            "organization_id": actor.organization_id,
            "time_zone": zone,
            "interval": query.interval,
            "step": f"1 {query.interval}",
            "before_monday": f"{days_before_monday} days",
            "first": first,
            "last": last,
            **MAPPING,
            **live_arguments(counts),
        },
    ).all()
    series = [IntervalCounts(**{**row._mapping, "date": row.day.isoformat()}) for row in rows]
    statistics = Statistics(
        first=series[0].date,
        last=rows[-1].last_day.isoformat(),
        interval=query.interval,
        time_zone=zone,
        recorded_since=rows[0].recorded_since,
        totals=Counts(**{name: sum(getattr(point, name) for point in series) for name in Counts.model_fields}),
        series=series,
        reasons={} if counts else {"series.searches": NO_SEARCHES},
    )
    return enclosed(StatisticsResponse, statistics, "statistics", rows[0].computed_at)


def _calendar(actor: Actor, query: StatisticsQuery) -> tuple[str, int]:
    """Return the time zone, and how many days before Monday weeks begin: the person's, unless the query says all."""
    if query.time_zone is not None and query.interval != "week":
        return query.time_zone, 0
    calendar = calendar_of(actor)
    days = -calendar.first_weekday % DAYS_OF_WEEK if query.interval == "week" else 0
    return query.time_zone or calendar.zone.key, days


def _range(query: StatisticsQuery, zone: str) -> tuple[date, date]:
    last = query.last or utc_now().astimezone(ZoneInfo(zone)).date()
    first = query.first or last - timedelta(days=DEFAULT_DAYS[query.interval])
    if last < first:
        raise Invalid.field("query.to", "The last day is before the first.", "range")
    if last > _years_after(first, MOST_YEARS):
        raise Invalid.field("query.from", f"At most {MOST_YEARS} years can be asked for.", "range")
    return first, last


def _years_after(day: date, years: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + years, 3, 1) if is_leap_day else day.replace(year=day.year + years)
