"""Response schemas of /jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row

from backend.http.schemas import Page, PageQuery, ResponseBody
from backend.jobs.models import Job


class ProgressOut(ResponseBody):
    """How far a job has come."""

    done: int
    total: int
    message: str


class JobOut(ResponseBody):
    """A piece of work in the background."""

    id: UUID
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: ProgressOut
    result: dict[str, Any] | None = Field(
        description="In lists, and in events but the last, one of over 15 kB is"
        ' `{"truncated": true}`; GET /jobs/{id} has it'
    )
    error: str | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job | Row[Any]) -> JobOut:
        """Build the response from a row."""
        progress = {"done": job.done, "total": job.total, "message": job.message}
        columns = {column.key: getattr(job, column.key) for column in Job.__table__.columns}
        return cls.model_validate({**columns, "progress": progress})


class JobPage(Page[JobOut]):
    """One page of jobs."""


class JobListQuery(PageQuery):
    """Which jobs, in which order."""

    sort: Literal["created_at", "-created_at"] = "-created_at"
