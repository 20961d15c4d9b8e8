"""Commands that run the background processes: worker and scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from redis.exceptions import AuthenticationError, NoPermissionError

from backend.cli.settings import settings_with_database
from backend.jobs.lanes import check_redis_access, run_worker
from backend.jobs.scheduler import run_scheduler
from backend.local_stack.processes import end_forks_with_parent
from backend.redis.faults import redis_fault


@click.command()
def worker() -> None:
    """Work off the queue of jobs, until SIGTERM or Ctrl-C."""
    settings = settings_with_database("worker")
    # Lanes, RQ's children and extractors must not outlive this process.
    end_forks_with_parent()
    with _report_redis_refusal():
        check_redis_access(settings)
        run_worker(settings)


@click.command()
def scheduler() -> None:
    """Send due and lost jobs to the queue, until SIGTERM or Ctrl-C."""
    with _report_redis_refusal():
        run_scheduler(settings_with_database("scheduler"))


@contextmanager
def _report_redis_refusal() -> Iterator[None]:
    """Report in one line that Redis refuses access.

    Raises:
        ClickException: a wrong password, or a missing right.
    """
    try:
        yield
    except (AuthenticationError, NoPermissionError) as error:
        raise click.ClickException(redis_fault(error)) from None
