"""Command `scheduler`. It imports no feature: the process sends names of jobs, and stays small."""

from __future__ import annotations

import click

from backend.cli.redis_access import report_redis_refusal
from backend.cli.settings import settings_with_database
from backend.jobs.scheduler import run_scheduler


@click.command()
def scheduler() -> None:
    """Send due and lost jobs to the queue, until SIGTERM or Ctrl-C."""
    with report_redis_refusal():
        run_scheduler(settings_with_database("scheduler"))
