"""Queries for jobs."""

from __future__ import annotations

from sqlalchemy import Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from backend.actor import Actor
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.models import Job
from backend.jobs.schemas import JobListQuery, JobOut, JobPage

# A page of a hundred jobs stays under 2 MB; only GET /jobs/{id} returns a larger result.
LISTED_RESULT_BYTES = 15_000
_IS_LARGE = func.octet_length(cast(Job.result, Text)) > LISTED_RESULT_BYTES
LISTED_JOBS = select(
    *(column for column in Job.__table__.columns if column.key != "result"),
    case((_IS_LARGE, literal({"truncated": True}, JSONB)), else_=Job.result).label("result"),
)


def list_jobs(actor: Actor, query: JobListQuery) -> JobPage:
    """Return one page of the organization's jobs, without large results."""
    conditions = [Job.organization_id == actor.organization_id]
    page = paginate(conditions, LISTED_JOBS, Sort(query.sort, Job.created_at, Job.id), query)
    return page_of(JobPage, page, [JobOut.of(row) for row in page.rows])
