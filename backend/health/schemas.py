"""Schemas of /api/health."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.http.schemas import ResponseBody

CheckStatus = Literal["healthy", "degraded", "unhealthy", "disabled"]


class CheckOut(ResponseBody):
    """The state of one thing that the service depends on."""

    status: CheckStatus
    latency_ms: float | None = None
    detail: str | None = None


class WorkerCheckOut(CheckOut):
    """Workers that gave a sign of life lately, and how much waits for them."""

    workers: int | None = None
    queue_depth: int | None = Field(None, description="Messages that wait, and pages that are due to be read")
    oldest_due_seconds: float | None = Field(None, description="For how long the first job or page has been due")
    scheduler_last_pass: datetime | None = Field(None, description="When the scheduler last sent what was due")


class EmbeddingsCheckOut(CheckOut):
    """The embedding provider, and how many bookmarks wait for a vector."""

    pending: int | None = None
    pending_subjects: int | None = Field(None, description="Projects and tasks that wait for a vector")


class MailCheckOut(CheckOut):
    """Mails that wait for another try."""

    failing: int | None = None


class ReplicaCheckOut(CheckOut):
    """The replica for reads that may lag, as the process that answers sees it."""

    lag_seconds: float | None = Field(None, description="At most for so long it lacks commits of the primary")


class ChecksOut(ResponseBody):
    """Every check."""

    database: CheckOut
    replica: ReplicaCheckOut
    redis: CheckOut
    worker: WorkerCheckOut
    embeddings: EmbeddingsCheckOut
    llm: CheckOut
    logs: CheckOut
    mail: MailCheckOut
    storage: CheckOut


class HealthOut(ResponseBody):
    """The state of the service: degraded when something is missing that it can do without."""

    status: Literal["healthy", "degraded", "unhealthy"]
    version: str = Field(examples=["0.1.0"])
    revision: str | None = Field(None, description="Of git, where it is known")
    uptime_seconds: float
    checks: ChecksOut


class LiveOut(ResponseBody):
    """This process answers."""

    status: Literal["healthy"] = "healthy"
