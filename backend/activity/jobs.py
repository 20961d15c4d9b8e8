"""Jobs of the activity log. Idempotent."""

from __future__ import annotations

from backend.activity import roll_ups, search_counts
from backend.jobs.registry import job

MONTHS_AHEAD = 3


@job("activity.roll_up")
def roll_up() -> None:
    """Count what was logged since the last time."""
    roll_ups.roll_up()


@job("activity.flush_searches")
def flush_searches() -> None:
    """Write the searches that are counted in Redis to the roll-ups."""
    search_counts.flush_searches()


@job("activity.make_partitions")
def make_partitions() -> None:
    """Make the partitions of the coming months."""
    roll_ups.make_partitions(MONTHS_AHEAD)


@job("activity.purge")
def purge() -> None:
    """Delete the rows of the log that are older than the settings say."""
    roll_ups.purge()
