"""/jobs: what works in the background."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from backend.actor import Actor
from backend.http.operations import operation
from backend.jobs import queries, service
from backend.jobs.schemas import JobListQuery, JobOut, JobPage

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")


@blueprint.get("")
@operation(scope="jobs:read", limit="list", tag="jobs", responses={200: JobPage})
def list_jobs(actor: Actor, query: JobListQuery) -> JobPage:
    """List the organization's jobs."""
    return queries.list_jobs(actor, query)


@blueprint.get("/<uuid:job_id>")
@operation(scope="jobs:read", limit="read", tag="jobs", responses={200: JobOut})
def read_job(actor: Actor, job_id: UUID) -> JobOut:
    """Read one job."""
    return JobOut.of(service.get_job(actor, job_id))


@blueprint.delete("/<uuid:job_id>")
@operation(scope="jobs:write", limit="write", tag="jobs", responses={200: JobOut, 409: None})
def cancel_job(actor: Actor, job_id: UUID) -> JobOut:
    """Cancel a job that has not ended."""
    return JobOut.of(service.cancel_job(actor, job_id))
