"""Reading about imports."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import Flask
from sqlalchemy import Row, func, select, text

from backend.actor import Actor
from backend.errors import NotFound
from backend.extensions import db
from backend.jobs.models import Job
from backend.transfer.models import Import, ImportRemark

REMARKS_BATCH = 1_000
KNOWN = text("""
    SELECT b.url_hash, b.id, EXISTS (
               SELECT FROM imported_ids i WHERE i.job_id = :job_id AND i.bookmark_id = b.id) AS is_ours
      FROM bookmarks b
     WHERE b.organization_id = :organization_id AND b.deleted_at IS NULL
       AND b.url_hash = ANY(CAST(:hashes AS bytea[]))
""")
# The first of a person's other imports that has been asked for earlier and has not ended.
EARLIER = text("""
    SELECT EXISTS (
        SELECT FROM jobs other JOIN jobs mine ON mine.id = :job_id
          JOIN imports i ON i.job_id = other.id AND i.ended_at IS NULL
         WHERE other.kind = 'import' AND other.status IN ('queued', 'running') AND other.user_id = mine.user_id
           AND (other.created_at, other.id) < (mine.created_at, mine.id))
""")


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A bookmark that is there; `is_ours` where the import that asks has made it."""

    id: int
    is_ours: bool


def known_links(actor: Actor, job_id: UUID, hashes: Collection[bytes]) -> dict[bytes, KnownLink]:
    """Find the bookmarks outside the trash that have these links. One statement."""
    values = {"organization_id": actor.organization_id, "job_id": job_id, "hashes": list(hashes)}
    rows = db.session.execute(KNOWN, values)
    return {bytes(row.url_hash): KnownLink(row.id, row.is_ours) for row in rows}


def has_earlier_import(job_id: UUID) -> bool:
    """Tell whether an import that the same person asked for earlier has not ended."""
    return bool(db.session.scalar(EARLIER, {"job_id": job_id}))


def bytes_waiting(user_id: int) -> int:
    """Add up the sizes of a person's files whose import has not ended."""
    mine = (Job.user_id == user_id, Job.kind == "import", Job.status.in_(("queued", "running")))
    waiting = select(func.coalesce(func.sum(Import.size), 0)).join(Job, Job.id == Import.job_id).where(*mine)
    return int(db.session.scalar(waiting) or 0)


def get_import(actor: Actor, job_id: UUID) -> datetime:
    """Find an import of the actor's organization, and tell when it was asked for.

    Raises:
        NotFound: there is none of this id, or it was so long ago that its lines are not known any more.
    """
    mine = (Import.job_id == job_id, Import.organization_id == actor.organization_id)
    created_at = db.session.scalar(select(Import.created_at).where(*mine))
    if created_at is None:
        raise NotFound
    return created_at


def remarks_in_order(app: Flask, job_id: UUID) -> Iterator[Row[Any]]:
    """Read the lines of an import that were not taken as they are, in the order of the file, a batch at a time."""
    after = -1
    while True:
        # The request is over while a client takes its time.
        with app.app_context():
            which = select(
                ImportRemark.position, ImportRemark.line, ImportRemark.url, ImportRemark.outcome, ImportRemark.reason
            ).where(ImportRemark.job_id == job_id, ImportRemark.position > after)
            page = which.order_by(ImportRemark.position).limit(REMARKS_BATCH)
            rows = cast("Sequence[Row[Any]]", db.session.execute(page).all())
        yield from rows
        if len(rows) < REMARKS_BATCH:
            return
        after = rows[-1].position
