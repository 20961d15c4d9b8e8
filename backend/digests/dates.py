"""Dates of due tasks, as a person of a language reads them."""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

# Patterns of Unicode's CLDR: a day, what is added for another year, and for a time of day.
PATTERNS = {"en": ("EEEE, d MMMM", " y", ", HH:mm"), "de": ("EEEE, d. MMMM", " y", ", HH:mm 'Uhr'")}
# A due date without a time is stored as the end of its day.
END_OF_DAY = time(23, 59, 59)


def due_date(due_at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """Write a due date in a time zone and language, such as `Monday, 7 December, 17:00`; another year too."""
    day, year, hour = PATTERNS[language]
    whole_day = _whole_day(due_at, zone) or _whole_day(due_at, UTC)
    local = whole_day or due_at.astimezone(zone)
    of_year = year if local.year != now.astimezone(zone).year else ""
    return format_datetime(local, day + of_year + ("" if whole_day else hour), locale=language)


def _whole_day(due_at: datetime, zone: tzinfo) -> datetime | None:
    """Return the due date in a time zone, if it is a day without a time there; None otherwise.

    In UTC it is one that was stored before the person set a time zone.
    """
    local = due_at.astimezone(zone)
    return local if local.time().replace(microsecond=0) == END_OF_DAY else None
