"""The numbers of each chart: two SQL statements, one of them about the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import accumulate

from backend.actor import Actor
from backend.auth.preferences import calendar_of
from backend.dashboard.charts.chart import Chart, ChartSeries
from backend.dashboard.charts.labels import isolated, long_day, month, short_day, shortened
from backend.dashboard.insights.queries import read_reading_pace, read_top_tags
from backend.dashboard.schemas import IntervalCounts, StatisticsQuery
from backend.dashboard.statistics import read_statistics

# As the legends name the series of the statistics.
DONE = {
    "bookmarks": "Bookmarks",
    "captures": "Captures",
    "searches": "Searches",
    "tasks_completed": "Tasks done",
    "recommendations_opened": "Recommendations",
}
GROWN = {"bookmarks": "Bookmarks", "tasks_completed": "Tasks done", "users": "Members"}
# A label takes the room of so many months, or weeks.
EVERY = 3
TAG_COLUMNS = 16


def activity_chart(actor: Actor) -> Chart:
    """Return what was done on each of thirty days, the present one last; each week's first day is labelled."""
    calendar = calendar_of(actor)
    counts = read_statistics(actor, StatisticsQuery(time_zone=calendar.zone.key)).data
    days = _days(counts.series)
    series = [_summed(name, _values(counts.series, field)) for field, name in DONE.items()]
    return Chart(
        name="activity",
        kind="stacked columns",
        title="Activity in 30 days",
        description=f"{long_day(days[0])} to {long_day(days[-1])}, {counts.time_zone}. {_totals(series)}",
        empty="Nothing was recorded in these days.",
        labels=[long_day(day) for day in days],
        ticks={at: short_day(day) for at, day in enumerate(days) if day.weekday() == calendar.first_weekday},
        series=series,
    )


def growth_chart(actor: Actor) -> Chart:
    """Return what has been added since the first of twelve months, up to the end of each."""
    counts = read_statistics(actor, StatisticsQuery(interval="month")).data
    months = [month(day) for day in _days(counts.series)]
    added = [_summed(name, _values(counts.series, field)) for field, name in GROWN.items()]
    return Chart(
        name="growth",
        kind="lines",
        title="Added in 12 months",
        description=f"{months[0]} to {months[-1]}, {counts.time_zone}. {_totals(added)}",
        empty="Nothing was added in these months.",
        labels=[f"up to {name}" for name in months],
        ticks=_each(months),
        series=[replace(one, values=list(accumulate(one.values))) for one in added],
    )


def tags_chart(actor: Actor) -> Chart:
    """Return how often the tags that a person saves most were saved lately, and before."""
    tags = read_top_tags(actor)
    told = [f"{isolated(tag.name)}: {tag.saved}, before {tag.saved_before}" for tag in tags]
    tags.reverse()  # The library draws the first bar at the bottom.
    return Chart(
        name="tags",
        kind="bars",
        title="Most saved tags",
        description=f"Bookmarks of the last 30 days and of the 30 days before by tag. {'; '.join(told)}.",
        empty="No tag was saved in 60 days.",
        labels=[isolated(tag.name) for tag in tags],
        ticks={at: shortened(tag.name, TAG_COLUMNS) for at, tag in enumerate(tags)},
        series=[
            ChartSeries("Last 30 days", [tag.saved for tag in tags]),
            ChartSeries("30 days before", [tag.saved_before for tag in tags]),
        ],
    )


def reading_chart(actor: Actor) -> Chart:
    """Return what a person has read in each of twelve weeks, the present one last."""
    pace = read_reading_pace(actor)
    days = [week.first_day for week in pace.weeks]
    read = [_summed("Bookmarks read", [week.read for week in pace.weeks])]
    return Chart(
        name="reading",
        kind="columns",
        title=f"Read in each week: {pace.per_week:g} on average",
        description=f"Weeks from {long_day(days[0])} to {long_day(days[-1])}. {_totals(read)}",
        empty="Nothing was marked as read in 12 weeks.",
        labels=[f"week from {long_day(day)}" for day in days],
        ticks=_each([short_day(day) for day in days]),
        series=read,
    )


def _days(points: Sequence[IntervalCounts]) -> list[date]:
    return [date.fromisoformat(point.date) for point in points]


def _values(points: Sequence[IntervalCounts], field: str) -> list[int]:
    return [getattr(point, field) for point in points]


def _summed(name: str, values: Sequence[int]) -> ChartSeries:
    return ChartSeries(name, values, sum(values))


def _each(labels: Sequence[str]) -> dict[int, str]:
    """Return the labels that have room, the last one among them."""
    last = len(labels) - 1
    return {at: label for at, label in enumerate(labels) if (last - at) % EVERY == 0}


def _totals(series: Sequence[ChartSeries]) -> str:
    return ", ".join(one.legend for one in series) + "."
