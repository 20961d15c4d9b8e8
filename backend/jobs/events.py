"""What a job's events say, and the poll that finds out for all watches of a process what is new.

One statement a second looks at all of them, and a second one loads the jobs that have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast
from uuid import UUID

from sqlalchemy import text

from backend.actor import Actor
from backend.extensions import db
from backend.http.event_streams.framing import event
from backend.http.event_streams.loop import Update
from backend.http.event_streams.response import start_event_streams
from backend.jobs.queries import jobs_for_events
from backend.jobs.schemas import JobOut
from backend.jobs.service import get_job

WATCHED = text(Path(__file__).with_suffix(".sql").read_text())
# Either lets an API token read jobs.
SCOPES = ["jobs:read", "*:read"]
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class JobWatch:
    """Who watches which job; `version` is that of the row, and `event_id` that of the event, which were seen last."""

    job_id: UUID
    actor: Actor
    event_id: str
    version: str = ""


@dataclass(frozen=True)
class JobEvent:
    """An event: the representation of a job, under an id that every process gives it."""

    id: str
    data: bytes
    is_last: bool

    @classmethod
    def of(cls, job: JobOut) -> JobEvent:
        """Make the event of a job as it is."""
        data = job.model_dump_json().encode()
        return cls(sha256(data).hexdigest()[:16], data, job.status in ENDED)


def watch_job(actor: Actor, job_id: UUID, last_event_id: str) -> tuple[JobWatch, Update | None]:
    """Begin to watch a job, with its state unless that is the client's last event; None if that was the last of all.

    Raises:
        NotFound: there is no such job.
    """
    get_job(actor, job_id)
    watch = JobWatch(job_id, actor, last_event_id)
    [job] = jobs_for_events([job_id])
    update = _update(watch, JobEvent.of(job))
    return watch, None if update.is_last and not update.piece else update


def start_job_events() -> None:
    """Let this process hold streams of job events open. To be called after the fork."""
    start_event_streams(poll_jobs)


def poll_jobs(watches: Sequence[object]) -> list[Update]:
    """Find out what is new about each job that is watched."""
    watched = cast("Sequence[JobWatch]", watches)
    versions = _versions(watched)
    changed = {
        watch.job_id
        for position, watch in enumerate(watched, 1)
        if versions.get(position, watch.version) != watch.version
    }
    events = {job.id: JobEvent.of(job) for job in jobs_for_events(changed)} if changed else {}
    db.session.rollback()
    return [_next(watch, versions.get(position), events) for position, watch in enumerate(watched, 1)]


def _versions(watches: Sequence[JobWatch]) -> dict[int, str]:
    values = {
        "job_ids": [str(watch.job_id) for watch in watches],
        "organization_ids": [watch.actor.organization_id for watch in watches],
        "user_ids": [watch.actor.user_id for watch in watches],
        "session_ids": [watch.actor.session_id and str(watch.actor.session_id) for watch in watches],
        "token_ids": [watch.actor.token_id for watch in watches],
        "scopes": SCOPES,
    }
    return {row.position: row.version for row in db.session.execute(WATCHED, values)}


def _next(watch: JobWatch, version: str | None, events: dict[UUID, JobEvent]) -> Update:
    if version is None:
        return Update(is_last=True)
    if version == watch.version or watch.job_id not in events:
        return Update()
    watch.version = version
    return _update(watch, events[watch.job_id])


def _update(watch: JobWatch, state: JobEvent) -> Update:
    piece = event(state.id, state.data) if state.id != watch.event_id else b""
    watch.event_id = state.id
    return Update(piece, state.is_last)
