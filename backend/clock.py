"""Clock: the current time in UTC, and how long this process runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_STARTED = time.monotonic()


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def uptime_seconds() -> float:
    """Return for how many seconds this process has run, or the one that it was forked from."""
    return round(time.monotonic() - _STARTED, 1)
