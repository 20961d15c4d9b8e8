"""Reading jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from backend.actor import Actor
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.models import Job
from backend.jobs.schemas import JobListQuery, JobOut, JobPage

# Of a hundred jobs together under 2 MB; a larger result is in the answer about its job alone.
LISTED_RESULT_BYTES = 15_000
_IS_LARGE = func.octet_length(cast(Job.result, Text)) > LISTED_RESULT_BYTES
_COLUMNS = [column for column in Job.__table__.columns if column.key != "result"]
_TRUNCATED = literal({"truncated": True}, JSONB)
LISTED_JOBS = select(*_COLUMNS, case((_IS_LARGE, _TRUNCATED), else_=Job.result).label("result"))
# Events come often while a job runs; the last one has the whole result.
_IS_UNDER_WAY = Job.status.in_(("queued", "running"))
JOBS_FOR_EVENTS: Select[Any] = select(
    *_COLUMNS, case((and_(_IS_UNDER_WAY, _IS_LARGE), _TRUNCATED), else_=Job.result).label("result")
)


def list_jobs(actor: Actor, query: JobListQuery) -> JobPage:
    """One page of the organization's jobs, large results left out."""
    mine = [Job.organization_id == actor.organization_id]
    found = paginate(mine, LISTED_JOBS, Sort(query.sort, Job.created_at, Job.id), query)
    return page_of(JobPage, found, [JobOut.of(row) for row in found.rows])


def jobs_for_events(job_ids: Iterable[UUID]) -> list[JobOut]:
    """The jobs as events show them; who may see them has been checked."""
    return [JobOut.of(row) for row in db.session.execute(JOBS_FOR_EVENTS.where(Job.id.in_(job_ids)))]
