"""Roll-ups of the activity log: counts by organization, series and quarter of an hour; and the end of old rows.

A quarter of an hour lies within one day of every time zone in use: their offsets, and the times at which these change,
are whole quarters. So days, weeks and months of all time zones are sums of the same counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.activity.types import SERIES
from backend.clock import utc_now
from backend.database import execute_in_batches
from backend.extensions import current_settings, db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)
# A transaction ends long before: the statement that writes its events is its last.
SETTLED = timedelta(minutes=5)
MAPPING = {"types": [kind.value for kind in SERIES], "series": list(SERIES.values())}
# What one statement counts, so that none runs into the time-out.
STEP = timedelta(days=7)


def roll_up() -> datetime:
    """Count what was logged since the last time; return up to when all is counted. Safe to run twice, and at once."""
    progress = db.session.execute(SQL["lock_progress"]).one()
    until = bucket_of(utc_now() - SETTLED)
    since = progress.rolled_up_to or _beginning(until)
    _count(since, until)
    db.session.commit()
    return max(since, until)


def rebuild() -> datetime:
    """Count all rows of the log again; counts of rows that are purged stay. Return up to when all is counted."""
    progress = db.session.execute(SQL["lock_progress"]).one()
    until = bucket_of(utc_now() - SETTLED)
    since = progress.purged_to or _beginning(until)
    db.session.execute(SQL["forget"], {"since": since})
    _count(since, until)
    db.session.commit()
    return until


def purge() -> None:
    """Delete the rows that are older than the settings say, once they are counted: whole months at once."""
    roll_up()
    progress = db.session.execute(SQL["lock_progress"]).one()
    oldest = utc_now() - timedelta(days=current_settings().ACTIVITY_RETENTION_DAYS)
    before = min(bucket_of(oldest), progress.rolled_up_to)
    # Said first: a rebuild never counts a time of which rows are missing.
    db.session.execute(SQL["purged"], {"before": before})
    db.session.commit()
    db.session.execute(SQL["drop_partitions"], {"before": before})
    db.session.commit()
    for _ in execute_in_batches(SQL["purge"], {"before": before}):
        pass


def make_partitions(months: int) -> int:
    """Make the partitions of this month and of so many after it that are missing; return the number made."""
    made: int = db.session.scalar(SQL["make_partitions"], {"months": months}) or 0
    db.session.commit()
    return made


def _beginning(until: datetime) -> datetime:
    first = db.session.scalar(SQL["first"])
    return min(bucket_of(first), until) if first else until


def _count(since: datetime, until: datetime) -> None:
    start = since
    while start < until:
        end = min(start + STEP, until)
        db.session.execute(SQL["roll_up"], {**MAPPING, "since": start, "until": end})
        start = end
    db.session.execute(SQL["reach"], {"until": until})


def bucket_of(moment: datetime) -> datetime:
    """Return the beginning of the quarter of an hour that a moment is in."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
