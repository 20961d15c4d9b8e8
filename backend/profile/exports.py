"""Export of personal data: requested, written by a worker, downloaded within a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, count
from typing import cast
from uuid import UUID

from flask import Flask
from sqlalchemy import ColumnElement, delete, func, select, update

from backend.actor import Actor
from backend.auth.events import record_event
from backend.clock import utc_now
from backend.errors import NotFound
from backend.extensions import application, db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.organizations.models import Membership
from backend.profile.archive import write_archive
from backend.profile.models import Export, ExportPart
from backend.profile.personal_data import Progress, personal_files
from backend.profile.service import in_personal_organization, lock_user
from backend.transfer.export_storage import StorageUnavailable, export_storage, folder_of

LIFETIME = timedelta(hours=24)


class OrganizationLeft(Exception):
    """The person left an organization while their export was written: it holds rows that they may no longer see."""


@dataclass(frozen=True)
class Download:
    """Download of an export: name, size in bytes, parts."""

    name: str
    size: int
    parts: Iterator[bytes]


def request_export(actor: Actor) -> Job:
    """Queue a job that writes the export, or return the one under way."""
    user = lock_user(actor)
    job = db.session.scalar(
        select(Job)
        .where(Job.user_id == user.id, Job.kind == "personal_export", Job.status.in_(("queued", "running")))
        .limit(1)
    )
    if job is None:
        job = add_job(in_personal_organization(actor, user), "personal_export", {})
        record_event(user.id, "data_exported")
    db.session.commit()
    send([job_message(job)])
    return job


def get_export(actor: Actor, export_id: UUID) -> Download:
    """Read a complete export of the person.

    Raises:
        NotFound: it does not exist, is somebody else's, has expired, or holds rows of an organization that they have
            left.
        Unavailable: the storage of exports does not answer.
    """
    own = select(Export).where(Export.id == export_id, Export.user_id == actor.user_id)
    export = db.session.scalar(own.where(Export.expires_at > func.now(), _may_see_all(actor.user_id)))
    if export is None or export.size is None:
        raise NotFound
    name = f"fuze-export-{export.created_at:%Y-%m-%d}.zip"
    parts = read_parts(application(), export.id)
    if export_storage() is not None:
        # Before the response begins: a fault after that can only cut the connection.
        first = next(parts, None)
        if first is None:
            raise NotFound
        parts = chain([first], parts)
    return Download(name, export.size, parts)


def read_parts(app: Flask, export_id: UUID) -> Iterator[bytes]:
    """Yield the parts of an export, one in memory at a time; no connection is used between them."""
    for position in count():
        # The context of the request has ended when a slow client reads on.
        with app.app_context():
            data = db.session.scalar(
                select(ExportPart.data).where(ExportPart.export_id == export_id, ExportPart.position == position)
            )
            if data is None and (storage := export_storage()) is not None:
                data = storage.read(folder_of("personal", export_id), position)
        if data is None:
            return
        yield data


def write_export(user_id: int, progress: Progress) -> Export:
    """Write the export of a person, and delete earlier ones.

    Raises:
        OrganizationLeft: the person left one meanwhile; the export is deleted.
    """
    memberships = select(Membership.organization_id).where(Membership.user_id == user_id)
    organization_ids = sorted(db.session.scalars(memberships))
    export = Export(user_id=user_id, organization_ids=organization_ids, expires_at=utc_now() + LIFETIME)
    db.session.add(export)
    db.session.commit()
    size = write_archive(export.id, personal_files(user_id, organization_ids, progress))
    completion = update(Export).where(Export.id == export.id, _may_see_all(user_id)).values(size=size)
    if db.session.scalar(completion.returning(Export.id)) is None:
        db.session.execute(delete(Export).where(Export.id == export.id))
        db.session.commit()
        raise OrganizationLeft
    db.session.execute(delete(Export).where(Export.user_id == user_id, Export.id != export.id))
    db.session.commit()
    return export


def purge_exports() -> None:
    """Delete expired exports, among them those that a dead worker left incomplete."""
    db.session.execute(delete(Export).where(Export.expires_at < func.now()))
    db.session.commit()
    with suppress(StorageUnavailable):  # The next purge comes in an hour.
        if (storage := export_storage()) is not None:
            storage.delete_orphans("personal", _existing)


def _existing(ids: Iterable[UUID]) -> Iterable[UUID]:
    return db.session.scalars(select(Export.id).where(Export.id.in_(ids)))


def _may_see_all(user_id: int) -> ColumnElement[bool]:
    """Return the condition that a person belongs to every organization whose rows their export holds."""
    organization_ids = select(func.array_agg(Membership.organization_id)).where(Membership.user_id == user_id)
    return cast("ColumnElement[bool]", Export.organization_ids.contained_by(organization_ids.scalar_subquery()))
