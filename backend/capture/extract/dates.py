"""Dates as pages and documents write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Names of metadata that state the day of the last change.
MODIFIED = (
    *("article:modified_time", "og:updated_time", "og:modified_time", "datemodified", "dcterms.modified"),
    *("dc.date.modified", "last-modified", "lastmod", "revised"),
)
_EARLIEST_YEAR = 1000  # Scans of manuscripts state their year; earlier years are errors.
_AHEAD = timedelta(days=2)  # Clocks and time zones differ; a later date is no date of publication.


def parse_date(text: str | None) -> datetime | None:
    """Parse an ISO 8601 or RFC 5322 date; None when it is neither, or implausible."""
    text = (text or "").strip().removesuffix(" UTC")
    for parse in (datetime.fromisoformat, parsedate_to_datetime, _year_first):
        try:
            return in_utc(parse(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def in_utc(moment: datetime | None) -> datetime | None:
    """Convert `moment` to UTC, which a naive one is assumed to be in; None for an implausible date of publication."""
    if moment is None or moment.year < _EARLIEST_YEAR:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        in_zone = aware.astimezone(UTC)
    except OverflowError:  # At the end of the year 9999.
        return None
    return in_zone if in_zone < datetime.now(UTC) + _AHEAD else None


def _year_first(text: str) -> datetime:
    """Parse dates such as `2015/7/3`, `2015-07` and `2015`, as journals write them."""
    year, month, day = (*map(int, text.replace("/", "-").split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)
