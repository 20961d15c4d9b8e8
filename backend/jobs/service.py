"""Jobs as a person sees them: asked for, watched, cancelled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from backend.actor import Actor
from backend.errors import Conflict, NotFound
from backend.extensions import db
from backend.http.request_state import current_request_id
from backend.jobs.models import Job
from backend.jobs.queue import Message

# What runs each kind, by the name it is declared under: the jobs feature imports no other.
KINDS = {
    # Ended by whoever reads the page; its message looks after what nobody ended.
    "capture": Message("capture.run_capture_job", queue="maintenance"),
    "ai_test": Message("profile.run_ai_test"),
    # LLM_TIMEOUT_SECONDS is 300 at most.
    "breakdown": Message("tasks.run_breakdown", timeout_seconds=420),
    "personal_export": Message("profile.run_export", queue="bulk", timeout_seconds=1800),
}


def add_job(actor: Actor, kind: str, arguments: dict[str, Any]) -> Job:
    """A queued job in the transaction at hand; send `job_message` after the commit."""
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
    """The message that wakes a worker for this job."""
    template = KINDS[job.kind]
    return Message(
        template.function,
        {"job_id": str(job.id)},
        key=f"job-{job.id}",
        queue=template.queue,
        timeout_seconds=template.timeout_seconds,
    )


def get_job(actor: Actor, job_id: UUID) -> Job:
    """The job, if it belongs to the actor's organization.

    Raises:
        NotFound: it does not, or never was.
    """
    job = db.session.scalar(select(Job).where(Job.id == job_id, Job.organization_id == actor.organization_id))
    if job is None:
        raise NotFound
    return job


def cancel_job(actor: Actor, job_id: UUID) -> Job:
    """Stop a job: a queued one never starts, a running one ends at its next step.

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
