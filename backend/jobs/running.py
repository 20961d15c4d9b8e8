"""Runner of durable jobs: claim a row under a lease, run its handler, and end it exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from uuid import UUID

from loguru import logger
from sqlalchemy import func, select
from sqlalchemy.sql.dml import ReturningUpdate

from backend.actor import Actor
from backend.clock import utc_now
from backend.extensions import db
from backend.jobs.attempts import (
    MAX_ATTEMPTS,
    attempts_without_progress,
    delay_after_failure,
    own_arguments,
    with_progress,
)
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.rights import LOST, current_requester
from backend.jobs.service import KINDS, job_message, next_turn_message
from backend.leases import claim_attempt, is_due, is_free, seconds_from_now, update_attempt
from backend.observability.log_context import log_context
from backend.observability.metrics.recording import record_durable_job
from backend.spans import annotate_span, child_span

LEASE_SECONDS = 120


class RetryLater(Exception):
    """Raised by a handler to put the job back for so many seconds; it counts as no attempt. After zero seconds it goes
    on behind what waits on its queue."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class JobFailed(Exception):
    """Raised by a handler: the job cannot succeed, for a reason that the person can read."""


class JobStopped(Exception):
    """Raised by `report_progress`: the job was cancelled, or another worker holds its lease."""


class PermissionLost(JobStopped):
    """The requester has lost the permission: the job ends, and its transaction is rolled back."""


@dataclass(frozen=True)
class ClaimedJob:
    """A job under this process's lease. `attempt` fences off earlier claims; `without_progress` counts those since the
    last progress that was kept; `result` is what an earlier attempt stored with `store_result`; `requester` acts with
    the permissions of the time of the claim; `request_id` is that of the request that added the job; `claimed_at` a
    reading of `time.perf_counter`."""

    id: UUID
    kind: str
    requester: Actor
    arguments: dict[str, Any]
    attempt: int
    without_progress: int = 1
    result: dict[str, Any] | None = None
    request_id: str = ""
    claimed_at: float = field(default_factory=time.perf_counter, compare=False)

    @property
    def organization_id(self) -> int:
        """The organization that the job works in."""
        return self.requester.organization_id

    @property
    def user_id(self) -> int:
        """The requester's id."""
        return self.requester.user_id


Handler = Callable[[ClaimedJob], dict[str, Any]]


def durable_job(handler: Handler) -> Callable[[UUID | str], None]:
    """Turn a handler into a function that a message calls with a job's id."""

    # Without `__annotations__`: the registry reads the parameters of the wrapper.
    @wraps(handler, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def run(job_id: UUID | str) -> None:
        claimed = _claim(UUID(str(job_id)))
        if claimed is None:
            return
        # The message may come from the scheduler, which knows nothing of the request.
        with (
            log_context(
                request_id=claimed.request_id,
                job_id=str(job_id),
                kind=claimed.kind,
                attempt=claimed.attempt,
                user_id=claimed.user_id,
                organization_id=claimed.organization_id,
            ),
            child_span(f"job {claimed.kind}", attributes={"fuze.job_id": str(job_id), "fuze.attempt": claimed.attempt}),
        ):
            if claimed.without_progress > MAX_ATTEMPTS:
                # Every attempt since the last progress ended with the death of its worker; another one would kill this
                # worker too.
                _fail(claimed, "It was started three times and never came to an end.")
            else:
                _work(claimed, handler)

    return run


def report_progress(job: ClaimedJob, done: int, total: int, message: str = "") -> None:
    """Store the progress of a job and renew its lease. Commits.

    Call it before any of the organization's data leaves the server: a requester without permission gets none of it.

    Raises:
        JobStopped: it was cancelled, another worker has claimed it, or its requester has lost the permission.
    """
    _require_requester(job)
    is_current = _change(job, done=done, total=total, message=message, lease_until=seconds_from_now(LEASE_SECONDS))
    if not is_current:
        raise JobStopped


def store_result(job: ClaimedJob, result: dict[str, Any]) -> None:
    """Store a job's result in the transaction of its effects: if this run dies after the commit, the next attempt finds
    it in `job.result` and repeats nothing.

    From here until the commit nobody can revoke the requester's permission.

    Raises:
        JobStopped: it was cancelled, another worker has claimed it, or its requester has lost the permission: roll
            back.
    """
    _require_requester(job, lock=True)
    if db.session.scalar(_changed(job, result=result)) is None:
        raise JobStopped


def keep_progress(
    job: ClaimedJob, result: dict[str, Any], done: int, total: int, message: str, *, lease_seconds: int = LEASE_SECONDS
) -> None:
    """Store the result so far like `store_result`, with the progress; lease and count of attempts start over.

    Raises:
        JobStopped: like `store_result`; commit nothing.
    """
    _require_requester(job, lock=True)
    values: dict[str, Any] = {"result": result, "done": done, "total": total, "message": message}
    values |= {"lease_until": seconds_from_now(lease_seconds), "arguments": with_progress(job.attempt)}
    if db.session.scalar(_changed(job, **values)) is None:
        raise JobStopped


def due_job_messages(limit: int) -> list[Any]:
    """Return messages for due jobs without a live lease, the longest waiting first."""
    jobs = db.session.scalars(
        select(Job)
        .where(Job.status.in_(("queued", "running")), Job.kind.in_(KINDS))
        .where(is_due(Job.run_after), is_free(Job.lease_until))
        .order_by(Job.run_after)
        .limit(limit)
    )
    return [job_message(job) for job in jobs]


def _work(claimed: ClaimedJob, handler: Handler) -> None:
    try:
        result = handler(claimed)
        _require_requester(claimed, lock=True)
    except RetryLater as wait:
        db.session.rollback()
        _put_back(claimed, wait.seconds, counts=False)
        if wait.seconds <= 0:
            send([next_turn_message(claimed.id, claimed.kind)])
    except PermissionLost:
        db.session.rollback()
        _end(claimed, "cancelled", error=LOST)
    except JobStopped:
        db.session.rollback()
        _record(claimed, "stopped")
        logger.info("job {} was stopped", claimed.id)
    except JobFailed as failure:
        db.session.rollback()
        _fail(claimed, str(failure))
    except Exception as error:
        db.session.rollback()
        logger.opt(exception=error).error("job {} failed on attempt {}", claimed.id, claimed.attempt)
        delay = delay_after_failure(claimed.id, claimed.attempt)
        if delay is None:
            _fail(claimed, "It failed three times for a reason inside the server; see its logs.")
        else:
            _put_back(claimed, delay, counts=True)
    else:
        _end(claimed, "succeeded", result=result)


def _claim(job_id: UUID) -> ClaimedJob | None:
    job = db.session.scalar(
        claim_attempt(Job.attempts, job_id)
        .where(Job.status.in_(("queued", "running")), is_due(Job.run_after), is_free(Job.lease_until))
        .values(
            status="running",
            started_at=func.coalesce(Job.started_at, func.now()),
            lease_until=seconds_from_now(LEASE_SECONDS),
        )
        .returning(Job)
    )
    if job is None:
        db.session.commit()
        return None
    requester = current_requester(job.kind, job.organization_id, job.user_id, job.token_id)
    if requester is None:
        job.status, job.error, job.lease_until, job.finished_at = "cancelled", LOST, None, utc_now()
    db.session.commit()
    if requester is None:
        return None
    return ClaimedJob(
        job.id,
        job.kind,
        requester,
        own_arguments(job),
        job.attempts,
        without_progress=attempts_without_progress(job),
        result=job.result,
        request_id=job.request_id,
    )


def _require_requester(claimed: ClaimedJob, *, lock: bool = False) -> None:
    requester = claimed.requester
    if (
        current_requester(claimed.kind, requester.organization_id, requester.user_id, requester.token_id, lock=lock)
        is None
    ):
        raise PermissionLost


def _record(claimed: ClaimedJob, outcome: str) -> None:
    annotate_span({"fuze.outcome": outcome}, fault="failed" if outcome in ("failed", "retried") else "")
    record_durable_job(claimed.kind, outcome, time.perf_counter() - claimed.claimed_at)


def _put_back(claimed: ClaimedJob, seconds: float, *, counts: bool) -> None:
    _record(claimed, "retried" if counts else "put_back")
    attempts = claimed.attempt if counts else claimed.attempt - 1
    _change(claimed, status="queued", attempts=attempts, lease_until=None, run_after=seconds_from_now(seconds))


def _end(claimed: ClaimedJob, status: str, *, result: dict[str, Any] | None = None, error: str | None = None) -> None:
    _record(claimed, status)
    _change(claimed, status=status, result=result, error=error, lease_until=None, finished_at=func.now())
    _log_end(claimed, status)


def _fail(claimed: ClaimedJob, error: str) -> None:
    _record(claimed, "failed")
    # What it has done before stands, and so does what it has kept about it.
    _change(claimed, status="failed", error=error, lease_until=None, finished_at=func.now())
    _log_end(claimed, "failed")


def _log_end(claimed: ClaimedJob, outcome: str) -> None:
    duration_ms = round((time.perf_counter() - claimed.claimed_at) * 1000, 2)
    logger.bind(outcome=outcome, duration_ms=duration_ms).info("job {} {}", claimed.kind, outcome)


def _change(claimed: ClaimedJob, **values: Any) -> bool:
    changed = db.session.scalar(_changed(claimed, **values))
    db.session.commit()
    return changed is not None


def _changed(claimed: ClaimedJob, **values: Any) -> ReturningUpdate[tuple[UUID]]:
    # Nor does a cancelled job change.
    statement = update_attempt(Job.attempts, claimed.id, claimed.attempt).where(Job.status == "running")
    return statement.values(**values).returning(Job.id)
