"""Dates of due tasks, as a person of a language reads them."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

# Patterns of Unicode's CLDR: a day, what is added for another year, and for a time of day.
PATTERNS = {"en": ("EEEE, d MMMM", " y", ", HH:mm"), "de": ("EEEE, d. MMMM", " y", ", HH:mm 'Uhr'")}
# A due date without a time is stored as the end of its day.
END_OF_DAY = time(23, 59, 59)


def due_date(due_at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """Write a due date in a time zone and language, such as `Monday, 7 December, 17:00`; another year too."""
    local = due_at.astimezone(zone)
    day, year, hour = PATTERNS[language]
    pattern = day
    if local.year != now.astimezone(zone).year:
        pattern += year
    if local.time().replace(microsecond=0) != END_OF_DAY:
        pattern += hour
    return format_datetime(local, pattern, locale=language)
