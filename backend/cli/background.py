"""The commands that run the processes behind the web server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from redis.exceptions import AuthenticationError, NoPermissionError

from backend.cli.settings import settings_with_database
from backend.jobs.lanes import ask_redis, run_worker
from backend.jobs.scheduler import run_scheduler
from backend.local_stack.processes import end_forks_with_parent
from backend.redis.faults import redis_fault


@click.command()
def worker() -> None:
    """Work off the queue of jobs, until SIGTERM or Ctrl-C."""
    settings = settings_with_database("worker")
    # Lanes, RQ's children for each message and what reads pages must not outlive this process.
    end_forks_with_parent()
    with _redis_lets_us_in():
        ask_redis(settings)
        run_worker(settings)


@click.command()
def scheduler() -> None:
    """Send due and lost jobs to the queue, until SIGTERM or Ctrl-C."""
    with _redis_lets_us_in():
        run_scheduler(settings_with_database("scheduler"))


@contextmanager
def _redis_lets_us_in() -> Iterator[None]:
    """Say in one line that Redis does not.

    Raises:
        ClickException: a wrong password, or a right that is missing.
    """
    try:
        yield
    except (AuthenticationError, NoPermissionError) as error:
        raise click.ClickException(redis_fault(error)) from None
