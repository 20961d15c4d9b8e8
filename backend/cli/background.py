"""The commands that run the processes behind the web server."""

from __future__ import annotations

import os

import click

from backend.cli.settings import settings_with_database
from backend.cli.up.processes import die_with_parent
from backend.jobs.lanes import run_worker
from backend.jobs.scheduler import run_scheduler


@click.command()
def worker() -> None:
    """Work off the queue of jobs, until SIGTERM or Ctrl-C."""
    settings_with_database()
    # Lanes, RQ's children for each message and what reads pages must not outlive this process.
    os.register_at_fork(after_in_child=die_with_parent)
    run_worker()


@click.command()
def scheduler() -> None:
    """Send due and lost jobs to the queue, until SIGTERM or Ctrl-C."""
    settings_with_database()
    run_scheduler()
