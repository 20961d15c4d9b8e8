"""Commands on the activity log."""

from __future__ import annotations

import click

from backend.activity import roll_ups, search_counts
from backend.activity.jobs import MONTHS_AHEAD
from backend.cli.application import connected_application
from backend.http.response_cache.invalidation import invalidate_everything


@click.group("activity")
def activity() -> None:
    """Count the activity log, or make its partitions; the worker does both by itself."""


@activity.command()
def rebuild() -> None:
    """Count all that the log holds again. Counts of rows that are purged, and of searches, stay."""
    with connected_application():
        until = roll_ups.rebuild()
        invalidate_everything()
    click.echo(f"All is counted up to {until:%Y-%m-%dT%H:%M:%SZ}.")


@activity.command("roll-up")
def roll_up() -> None:
    """Count what was logged and searched since the last time."""
    with connected_application():
        until = roll_ups.roll_up()
        search_counts.flush_searches()
    click.echo(f"All is counted up to {until:%Y-%m-%dT%H:%M:%SZ}.")


@activity.command()
@click.option("--months", type=click.IntRange(0, 120), default=MONTHS_AHEAD, show_default=True)
def partitions(months: int) -> None:
    """Make the partitions of this month and of so many after it."""
    with connected_application():
        made = roll_ups.make_partitions(months)
    click.echo(f"Made {made}.")
