"""/jobs: what works in the background."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from backend.actor import Actor
from backend.http.event_streams.framing import MEDIA_TYPE
from backend.http.event_streams.response import stream_events
from backend.http.operations import operation
from backend.jobs import queries, service
from backend.jobs.events import watch_job
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


@blueprint.get("/<uuid:job_id>/events")
@operation(scope="jobs:read", limit="read", tag="jobs", responses={200: None, 204: None}, media_types=(MEDIA_TYPE,))
def stream_job(actor: Actor, job_id: UUID) -> Response:
    """Stream a job as Server-Sent Events until it ends."""
    watch, first = watch_job(actor, job_id, request.headers.get("Last-Event-ID", ""))
    return stream_events(actor.user_id, watch, first) if first else Response(status=204)
