"""Services of the job table: add, find and cancel jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from backend.actor import Actor
from backend.errors import Conflict, NotFound
from backend.extensions import db
from backend.http.request_state import current_request_id
from backend.jobs.models import Job
from backend.jobs.queue import Message

# The message of each kind, by declared name: `jobs` imports no feature.
KINDS = {
    # The capture itself ends this job; the message only covers a capture that never did.
    "capture": Message("capture.run_capture_job", queue="maintenance"),
    "ai_test": Message("profile.run_ai_test"),
    # Longer than the largest LLM_TIMEOUT_SECONDS, 300.
    "breakdown": Message("tasks.run_breakdown", timeout_seconds=420),
    "personal_export": Message("profile.run_export", queue="bulk", timeout_seconds=1800),
    "dashboard_export": Message("dashboard.run_export", queue="bulk", timeout_seconds=1800),
    # It goes on in turns of two minutes at most.
    "import": Message("transfer.run_import", queue="bulk", timeout_seconds=900),
}


def add_job(actor: Actor, kind: str, arguments: dict[str, Any]) -> Job:
    """Insert a queued job into the current transaction; send `job_message` after the commit."""
    job = Job(
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        token_id=actor.token_id,
        kind=kind,
        arguments=arguments,
        request_id=current_request_id(),
    )
    db.session.add(job)
    db.session.flush()
    return job


def job_message(job: Job) -> Message:
    """Build the message that wakes a worker for this job."""
    template = KINDS[job.kind]
    return Message(
        template.function,
        {"job_id": str(job.id)},
        key=f"job-{job.id}",
        queue=template.queue,
        timeout_seconds=template.timeout_seconds,
    )


def next_turn_message(job_id: UUID, kind: str) -> Message:
    """The message by which a job that runs right now is run again, behind what waits on its queue.

    It has no key: when RQ ends the present message of the job, it would delete this one with it.
    """
    return replace(KINDS[kind], arguments={"job_id": str(job_id)})


def get_job(actor: Actor, job_id: UUID) -> Job:
    """Return the job, if it belongs to the actor's organization.

    Raises:
        NotFound: it does not, or does not exist.
    """
    job = db.session.scalar(select(Job).where(Job.id == job_id, Job.organization_id == actor.organization_id))
    if job is None:
        raise NotFound
    return job


def cancel_job(actor: Actor, job_id: UUID) -> Job:
    """Cancel a job: a queued one never starts, a running one stops at its next progress report.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended already.
    """
    get_job(actor, job_id)
    cancelled: Job | None = db.session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.status.in_(("queued", "running")))
        .values(status="cancelled", finished_at=func.now())
        .returning(Job)
    )
    if cancelled is None:
        raise Conflict("This job has ended already.")
    db.session.commit()
    return cancelled
