"""When a digest is due: eight in the morning on the first day of the week, through every change of the clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.auth.preferences import WEEKDAYS
from backend.digests.dates import due_date
from backend.digests.schedule import next_due, week_of

pytestmark = pytest.mark.unit
BERLIN = ZoneInfo("Europe/Berlin")


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        # Clocks go forward on Sunday 29 March 2026 at two, and back on Sunday 25 October at three.
        ("2026-03-23T07:00:00Z", "2026-03-30T06:00:00Z"),
        ("2026-03-23T06:59:59Z", "2026-03-23T07:00:00Z"),
        ("2026-10-19T06:00:00Z", "2026-10-26T07:00:00Z"),
        ("2026-10-19T05:59:59Z", "2026-10-19T06:00:00Z"),
    ],
)
def test_it_stays_at_eight_when_the_clocks_change(after: str, due: str) -> None:
    assert next_due(moment(after), BERLIN, "monday") == moment(due)


def test_on_the_very_day_of_the_change_it_is_at_eight_as_well() -> None:
    forward, back = (next_due(moment(f"{day}T22:00:00Z"), BERLIN, "sunday") for day in ("2026-03-28", "2026-10-24"))
    assert (forward, back) == (moment("2026-03-29T06:00:00Z"), moment("2026-10-25T07:00:00Z"))


@pytest.mark.parametrize("week_start", WEEKDAYS)
@pytest.mark.parametrize(
    "name",
    [
        "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe",
        "Pacific/Apia", "Pacific/Kiritimati", "America/Santiago", "Africa/Casablanca",
    ],
)  # fmt: skip
def test_for_three_years_there_is_one_each_week(name: str, week_start: str) -> None:
    zone, due = ZoneInfo(name), moment("2025-12-31T12:00:00Z")
    days: list[date] = []
    for _ in range(156):
        due = next_due(due, zone, week_start, days[-1] if days else None)
        local = due.astimezone(zone)
        assert (local.hour, local.minute, local.weekday()) == (8, 0, WEEKDAYS[week_start])
        assert week_of(due, zone, week_start) == local.date()
        days.append(local.date())
    assert {later - earlier for earlier, later in itertools.pairwise(days)} == {timedelta(days=7)}


def test_a_week_has_begun_at_midnight_of_its_first_day() -> None:
    assert week_of(moment("2026-03-29T21:59:59Z"), BERLIN, "monday") == date(2026, 3, 23)
    assert week_of(moment("2026-03-29T22:00:00Z"), BERLIN, "monday") == date(2026, 3, 30)
    assert week_of(moment("2026-03-29T22:00:00Z"), BERLIN, "sunday") == date(2026, 3, 29)


@pytest.mark.parametrize(
    ("week_start", "due"), [("monday", "2026-06-08"), ("sunday", "2026-06-14"), ("saturday", "2026-06-13")]
)
def test_another_first_day_brings_none_within_seven_days_of_the_last(week_start: str, due: str) -> None:
    found = next_due(moment("2026-06-03T12:00:00Z"), ZoneInfo("UTC"), week_start, date(2026, 6, 1))
    assert found == moment(f"{due}T08:00:00Z")


def test_another_time_zone_brings_none_within_seven_days_of_the_last() -> None:
    made = moment("2026-05-31T20:05:00Z")  # Monday, eight o'clock in Auckland.
    assert week_of(made, ZoneInfo("Pacific/Auckland"), "monday") == date(2026, 6, 1)
    found = next_due(made, ZoneInfo("America/Los_Angeles"), "monday", date(2026, 6, 1))
    assert found == moment("2026-06-08T15:00:00Z")


@pytest.mark.parametrize(
    ("due", "language", "written"),
    [
        ("2026-12-07T16:30:00Z", "en", "Monday, 7 December, 17:30"),
        ("2026-12-07T16:30:00Z", "de", "Montag, 7. Dezember, 17:30 Uhr"),
        ("2026-12-07T23:30:00Z", "de", "Dienstag, 8. Dezember, 00:30 Uhr"),
        ("2026-12-07T22:59:59Z", "en", "Monday, 7 December"),
        ("2026-07-06T21:59:59Z", "de", "Montag, 6. Juli"),
        ("2026-12-07T23:59:59Z", "de", "Montag, 7. Dezember"),
        ("2025-12-31T22:59:59Z", "en", "Wednesday, 31 December 2025"),
        ("2027-03-01T08:00:00Z", "de", "Montag, 1. März 2027, 09:00 Uhr"),
    ],
)
def test_a_due_date_is_written_in_the_time_zone_and_language(due: str, language: str, written: str) -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert due_date(moment(due), now, BERLIN, language) == written
