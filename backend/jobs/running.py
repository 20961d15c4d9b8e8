"""Running durable jobs: a row is claimed, worked on, and ended exactly once, however often its message arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from loguru import logger
from sqlalchemy import func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from backend.actor import Actor
from backend.clock import utc_now
from backend.extensions import db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.rights import LOST, present_maker
from backend.jobs.service import KINDS, job_message, next_turn_message

LEASE_SECONDS = 120
MAX_ATTEMPTS = 3
RETRY_SECONDS = 30


class RetryLater(Exception):
    """Raised by a handler: nothing is wrong with the job, but it cannot go on for this long. After no time at all, it
    goes on behind what waits on its queue."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class JobFailed(Exception):
    """Raised by a handler: the job cannot succeed, for a reason that the person can read."""


class JobStopped(Exception):
    """Raised by `report_progress`: the job was cancelled, or another worker has it; nothing more is to be done."""


class RightLost(JobStopped):
    """The person who asked for the job may not do it any more: it ends, and nothing that it did is to be kept."""


@dataclass(frozen=True)
class ClaimedJob:
    """A job that this process works on. `attempt` tells it from an earlier claim that died; `result` is what that one
    kept, see `keep_result`. `maker` is who asked for it, as they might act when it was claimed."""

    id: UUID
    kind: str
    maker: Actor
    arguments: dict[str, Any]
    attempt: int
    result: dict[str, Any] | None = None

    @property
    def organization_id(self) -> int:
        """Where it works."""
        return self.maker.organization_id

    @property
    def user_id(self) -> int:
        """For whom."""
        return self.maker.user_id


Handler = Callable[[ClaimedJob], dict[str, Any]]


def durable_job(handler: Handler) -> Callable[[UUID | str], None]:
    """Make a handler into a function that the queue can call with a job's id."""

    # Under the handler's name, but with parameters of its own.
    @wraps(handler, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def run(job_id: UUID | str) -> None:
        claimed = _claim(UUID(str(job_id)))
        if claimed is None:
            return
        with logger.contextualize(job_id=str(job_id)):
            if claimed.attempt > MAX_ATTEMPTS:
                # Each start before this one ended with the death of its worker; another would kill this one too.
                _fail(claimed, "It was started three times and never came to an end.")
            else:
                _work(claimed, handler)

    return run


def report_progress(job: ClaimedJob, done: int, total: int, message: str = "") -> None:
    """Show how far a job has come, and keep it: its lease starts anew. Commits.

    To be called before anything of the organization's leaves the server: who may not see it any more gets none of it.

    Raises:
        JobStopped: it was cancelled, another worker has claimed it since, or its person has lost the right to it.
    """
    _require_maker(job)
    kept = _change(
        job, done=done, total=total, message=message, lease_until=func.now() + timedelta(seconds=LEASE_SECONDS)
    )
    if not kept:
        raise JobStopped


def keep_result(job: ClaimedJob, result: dict[str, Any]) -> None:
    """Keep what a job did, in the transaction at hand that does it: should this run die after its commit, the next one
    finds the result in `job.result` and does nothing again.

    From here on until the commit nobody takes from its person the right to it.

    Raises:
        JobStopped: it was cancelled, another worker has claimed it since, or its person has lost the right to it:
            nothing is to be committed.
    """
    _require_maker(job, held=True)
    if db.session.scalar(_changed(job, result=result)) is None:
        raise JobStopped


def keep_progress(
    job: ClaimedJob, result: dict[str, Any], done: int, total: int, message: str, *, lease_seconds: int = LEASE_SECONDS
) -> None:
    """Keep what a job has done so far as `keep_result` does, with how far it has come; its lease starts over.

    Raises:
        JobStopped: as `keep_result` does; nothing is to be committed.
    """
    _require_maker(job, held=True)
    values: dict[str, Any] = {"result": result, "done": done, "total": total, "message": message}
    values["lease_until"] = func.now() + timedelta(seconds=lease_seconds)
    if db.session.scalar(_changed(job, **values)) is None:
        raise JobStopped


def due_job_messages(limit: int) -> list[Any]:
    """Messages for jobs that may run and that nobody works on, the longest waiting first."""
    jobs = db.session.scalars(
        select(Job)
        .where(Job.status.in_(("queued", "running")), Job.kind.in_(KINDS))
        .where(Job.run_after <= func.now(), or_(Job.lease_until.is_(None), Job.lease_until < func.now()))
        .order_by(Job.run_after)
        .limit(limit)
    )
    return [job_message(job) for job in jobs]


def _work(claimed: ClaimedJob, handler: Handler) -> None:
    try:
        result = handler(claimed)
        _require_maker(claimed, held=True)
    except RetryLater as wait:
        db.session.rollback()
        _put_back(claimed, wait.seconds, counts=False)
        if wait.seconds <= 0:
            send([next_turn_message(claimed.id, claimed.kind)])
    except RightLost:
        db.session.rollback()
        _end(claimed, "cancelled", error=LOST)
    except JobStopped:
        db.session.rollback()
        logger.info("job {} was stopped", claimed.id)
    except JobFailed as failure:
        db.session.rollback()
        _fail(claimed, str(failure))
    except Exception as error:
        db.session.rollback()
        logger.opt(exception=error).error("job {} failed on attempt {}", claimed.id, claimed.attempt)
        if claimed.attempt < MAX_ATTEMPTS:
            _put_back(claimed, RETRY_SECONDS * 4 ** (claimed.attempt - 1), counts=True)
        else:
            _fail(claimed, "It failed three times for a reason inside the server; see its logs.")
    else:
        _end(claimed, "succeeded", result=result)


def _claim(job_id: UUID) -> ClaimedJob | None:
    job = db.session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.status.in_(("queued", "running")), Job.run_after <= func.now())
        .where(or_(Job.lease_until.is_(None), Job.lease_until < func.now()))
        .values(
            status="running",
            attempts=Job.attempts + 1,
            started_at=func.coalesce(Job.started_at, func.now()),
            lease_until=func.now() + timedelta(seconds=LEASE_SECONDS),
        )
        .returning(Job)
    )
    if job is None:
        db.session.commit()
        return None
    maker = present_maker(job.kind, job.organization_id, job.user_id, job.token_id)
    if maker is None:
        job.status, job.error, job.lease_until, job.finished_at = "cancelled", LOST, None, utc_now()
    db.session.commit()
    return ClaimedJob(job.id, job.kind, maker, job.arguments, job.attempts, job.result) if maker else None


def _require_maker(claimed: ClaimedJob, *, held: bool = False) -> None:
    maker = claimed.maker
    if present_maker(claimed.kind, maker.organization_id, maker.user_id, maker.token_id, held=held) is None:
        raise RightLost


def _put_back(claimed: ClaimedJob, seconds: float, *, counts: bool) -> None:
    attempts = claimed.attempt if counts else claimed.attempt - 1
    _change(
        claimed,
        status="queued",
        attempts=attempts,
        lease_until=None,
        run_after=func.now() + timedelta(seconds=seconds),
    )


def _end(claimed: ClaimedJob, status: str, *, result: dict[str, Any] | None = None, error: str | None = None) -> None:
    _change(claimed, status=status, result=result, error=error, lease_until=None, finished_at=func.now())


def _fail(claimed: ClaimedJob, error: str) -> None:
    # What it has done before stands, and so does what it has kept about it.
    _change(claimed, status="failed", error=error, lease_until=None, finished_at=func.now())


def _change(claimed: ClaimedJob, **values: Any) -> bool:
    changed = db.session.scalar(_changed(claimed, **values))
    db.session.commit()
    return changed is not None


def _changed(claimed: ClaimedJob, **values: Any) -> ReturningUpdate[tuple[UUID]]:
    # Nothing of a job changes that was cancelled or claimed anew in the meantime.
    which = update(Job).where(Job.id == claimed.id, Job.status == "running", Job.attempts == claimed.attempt)
    return which.values(**values).returning(Job.id)
