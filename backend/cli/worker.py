"""Command `worker`."""

from __future__ import annotations

import click

from backend.allocator import return_large_blocks
from backend.cli.redis_access import report_redis_refusal
from backend.cli.settings import settings_with_database
from backend.jobs.lanes import check_redis_access, run_worker
from backend.local_stack.processes import end_forks_with_parent


@click.command()
def worker() -> None:
    """Work off the queue of jobs, until SIGTERM or Ctrl-C."""
    settings = settings_with_database("worker")
    # Lanes, RQ's children and extractors must not outlive this process.
    end_forks_with_parent()
    # Pages and files of many megabytes come one at a time, with long waits between.
    return_large_blocks()
    with report_redis_refusal():
        check_redis_access(settings)
        run_worker(settings)
