"""Queries for jobs."""

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

# A page of a hundred jobs stays under 2 MB; only GET /jobs/{id} returns a larger result.
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
    """Return one page of the organization's jobs, without large results."""
    conditions = [Job.organization_id == actor.organization_id]
    page = paginate(conditions, LISTED_JOBS, Sort(query.sort, Job.created_at, Job.id), query)
    return page_of(JobPage, page, [JobOut.of(row) for row in page.rows])


def jobs_for_events(job_ids: Iterable[UUID]) -> list[JobOut]:
    """Return the jobs as events show them; permissions have been checked."""
    return [JobOut.of(row) for row in db.session.execute(JOBS_FOR_EVENTS.where(Job.id.in_(job_ids)))]
