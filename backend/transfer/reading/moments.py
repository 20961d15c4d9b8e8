"""Points in time, in the forms that export files write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Chrome counts microseconds from here: base/time/time.h, "Windows epoch".
_WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
# A number below the first limit counts seconds (until the year 5138), below the second milliseconds, and so on.
_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,9})?")
_APACHE_LOG = re.compile(r"\[?(\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]?")
_LONGEST = 64


def moment(value: object) -> datetime | None:
    """Read a point in time: a count since 1970 in s, ms, µs or ns, ISO 8601, an Apache log's form, or RFC 2822.

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
    for read in (_iso, _apache_log, parsedate_to_datetime):
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


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
