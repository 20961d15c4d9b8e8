"""Reading jobs."""

from __future__ import annotations

from sqlalchemy import select

from backend.actor import Actor
from backend.jobs.models import Job
from backend.jobs.schemas import JobListQuery, JobOut, JobPage
from backend.pagination import Sort, page_of, paginate


def list_jobs(actor: Actor, query: JobListQuery) -> JobPage:
    """One page of the organization's jobs."""
    mine = [Job.organization_id == actor.organization_id]
    shape = select(Job.id, Job.created_at, Job)
    found = paginate(mine, shape, Sort(query.sort, Job.created_at, Job.id), query)
    return page_of(JobPage, found, [JobOut.of(row.Job) for row in found.rows])
