"""Dates as pages and documents write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EARLIEST_YEAR = 1000  # Scans of manuscripts state when those were written; below are only slips of the pen.
_AHEAD = timedelta(days=2)  # A later date, clocks and time zones allowed for, is not one of publication.


def parse_date(text: str | None) -> datetime | None:
    """The moment that an ISO 8601 or RFC 5322 date names; None when it is neither, or cannot be meant."""
    text = (text or "").strip().removesuffix(" UTC")
    for parse in (datetime.fromisoformat, parsedate_to_datetime, _year_first):
        try:
            return in_utc(parse(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def in_utc(moment: datetime | None) -> datetime | None:
    """`moment` in UTC, taken for its zone where it has none; None when nothing was published then."""
    if moment is None or moment.year < _EARLIEST_YEAR:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        in_zone = aware.astimezone(UTC)
    except OverflowError:  # At the end of the year 9999.
        return None
    return in_zone if in_zone < datetime.now(UTC) + _AHEAD else None


def _year_first(text: str) -> datetime:
    """Dates such as `2015/7/3`, `2015-07` and `2015`, as journals write them."""
    year, month, day = (*map(int, text.replace("/", "-").split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)
