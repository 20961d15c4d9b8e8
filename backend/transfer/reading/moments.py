"""Points in time, in the forms that export files write them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Chrome counts microseconds from here: base/time/time.h, "Windows epoch".
_WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
# A number below the first limit counts seconds (until the year 5138), below the second milliseconds, and so on.
_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))
# Microseconds since 1601, as Chrome counts: since 1970 they would lie after the year 2338.
_CHROME_COUNTS = range(11_644_473_600 * 10**6, 10**17)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,9})?")
_APACHE_LOG = re.compile(r"\[?(\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]?")
# As JavaScript writes a date; the name of the zone in brackets is left out.
_JAVASCRIPT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{1,2} \d{4} \d\d:\d\d:\d\d) (?:GMT|UTC)([+-]\d{4}).*")
# Dates whose parts cannot be taken for one another, with or without a time of day.
_DATES = ("%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S")
_LONGEST = 64


def moment(value: object) -> datetime | None:
    """Read a point in time: a count since 1970 in s, ms, µs or ns, ISO 8601, an Apache log's form, RFC 2822,
    JavaScript's form, or a plain date whose parts cannot be taken for one another.

    A time without an offset is UTC. Nothing, zero and what cannot be read give None.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _since_epoch(Decimal(str(value)))
    text = str(value).strip()[:_LONGEST]
    return _since_epoch(Decimal(text)) if _NUMBER.fullmatch(text) else _written(text)


def chrome_moment(value: object) -> datetime | None:
    """Read a count of microseconds since 1601."""
    text = str(value)
    if not _NUMBER.fullmatch(text) or not int(Decimal(text)):
        return None
    return _after(_WINDOWS_EPOCH, int(Decimal(text)))


def _since_epoch(count: Decimal) -> datetime | None:
    if not count.is_finite() or count <= 0:
        return None
    if _CHROME_COUNTS.start <= count < _CHROME_COUNTS.stop:
        return _after(_WINDOWS_EPOCH, int(count))
    for limit, per_second in _UNITS:
        if count < limit:
            return _after(_EPOCH, int(count * 10**6 / per_second))
    return None


def _after(start: datetime, microseconds: int) -> datetime | None:
    try:
        return start + timedelta(microseconds=microseconds)
    except OverflowError:
        return None


def _written(text: str) -> datetime | None:
    for read in (_iso, _apache_log, _javascript, parsedate_to_datetime, _plain_date):
        try:
            return _in_utc(read(text))
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
    return None


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix(" UTC"))


def _apache_log(text: str) -> datetime:
    match = _APACHE_LOG.fullmatch(text)
    if not match:
        raise ValueError(text)
    return datetime.strptime(match[1], "%d/%b/%Y:%H:%M:%S %z")


def _javascript(text: str) -> datetime:
    match = _JAVASCRIPT.fullmatch(text)
    if not match:
        raise ValueError(text)
    return datetime.strptime(f"{match[1]} {match[2]}", "%b %d %Y %H:%M:%S %z")


def _plain_date(text: str) -> datetime:
    for form in (date + time for date in _DATES for time in _TIMES):
        with suppress(ValueError):
            return datetime.strptime(text, form)
    raise ValueError(text)


def _in_utc(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
