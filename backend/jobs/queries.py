"""Reading jobs."""

from __future__ import annotations

from sqlalchemy import Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from backend.actor import Actor
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.models import Job
from backend.jobs.schemas import JobListQuery, JobOut, JobPage

# Of a hundred jobs together under 2 MB; a larger result is in the answer about its job alone.
LISTED_RESULT_BYTES = 15_000
_IS_LARGE = func.octet_length(cast(Job.result, Text)) > LISTED_RESULT_BYTES
LISTED_JOBS = select(
    *(column for column in Job.__table__.columns if column.key != "result"),
    case((_IS_LARGE, literal({"truncated": True}, JSONB)), else_=Job.result).label("result"),
)


def list_jobs(actor: Actor, query: JobListQuery) -> JobPage:
    """One page of the organization's jobs, large results left out."""
    mine = [Job.organization_id == actor.organization_id]
    found = paginate(mine, LISTED_JOBS, Sort(query.sort, Job.created_at, Job.id), query)
    return page_of(JobPage, found, [JobOut.of(row) for row in found.rows])
