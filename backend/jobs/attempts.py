"""Attempts of a durable job since its last progress: only those count towards its end.

A job that stores a result as it goes gets further with each attempt, however often its worker dies. The attempt of the
last progress stands beside the job's arguments: the number of attempts itself is a fencing token, which never falls
while the job runs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from backend.extensions import db
from backend.jobs.models import Job
from backend.leases import BackOff

BACK_OFF = BackOff.exponential(30, attempts=3)
MAX_ATTEMPTS = BACK_OFF.attempts
# Key beside the arguments of a job; handlers do not see it.
LAST_PROGRESS = "attempt_of_last_progress"


def with_progress(attempt: int) -> ColumnElement[Any]:
    """Return the arguments of a job together with the attempt that has made progress."""
    return Job.arguments.concat({LAST_PROGRESS: attempt})


def own_arguments(job: Job) -> dict[str, Any]:
    """Return the arguments that a job was added with."""
    return {name: value for name, value in job.arguments.items() if name != LAST_PROGRESS}


def attempts_without_progress(job: Job) -> int:
    """Count the attempts since the last progress, the present one among them."""
    return job.attempts - int(job.arguments.get(LAST_PROGRESS, 0))


def delay_after_failure(job_id: Any, attempt: int) -> float | None:
    """Return the seconds until the next attempt; None if there is none. One statement."""
    arguments = db.session.scalar(select(Job.arguments).where(Job.id == job_id)) or {}
    # An attempt that got further itself is the first one since.
    return BACK_OFF.delay_after(max(1, attempt - int(arguments.get(LAST_PROGRESS, 0))))
