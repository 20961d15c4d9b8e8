"""The export of all that is stored about a person: a zip of JSON files, written in pieces into the database."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import IO, Any, cast
from uuid import UUID

import orjson
from flask import Flask, current_app
from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute

from backend.actor import Actor, Role
from backend.ai.models import AiProvider, LlmUsage
from backend.auth.events import record_event
from backend.auth.models import ApiToken, SecurityEvent, Session, User
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkTag, Tag
from backend.clock import utc_now
from backend.errors import NotFound
from backend.extensions import db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.organizations.models import Membership, Organization
from backend.profile.models import Export, ExportPart
from backend.profile.service import in_personal_organization, lock_user
from backend.projects.models import Project, ProjectBookmark
from backend.recommendations.models import Feedback
from backend.search.recent import MOST_SEARCHES, recent_searches
from backend.tasks.models import Task

LIFETIME = timedelta(hours=24)
PART_BYTES = 1024 * 1024
BATCH = 200
# Page texts in memory at once, but for a single longer one.
PORTION_BYTES = 8 * 1024 * 1024
USER_COLUMNS = (User.id, User.email, User.email_verified_at, User.username, User.role, User.created_at)
SESSION_COLUMNS = (
    Session.id, Session.user_agent, Session.ip, Session.created_at, Session.last_used_at, Session.expires_at,
    Session.revoked_at,
)  # fmt: skip
TOKEN_COLUMNS = (
    ApiToken.id, ApiToken.organization_id, ApiToken.name, ApiToken.prefix, ApiToken.scopes, ApiToken.expires_at,
    ApiToken.last_used_at, ApiToken.created_at,
)  # fmt: skip
EVENT_COLUMNS = (
    SecurityEvent.id, SecurityEvent.kind, SecurityEvent.ip, SecurityEvent.user_agent, SecurityEvent.organization_id,
    SecurityEvent.detail, SecurityEvent.created_at,
)  # fmt: skip
JOB_COLUMNS = (
    Job.id, Job.organization_id, Job.kind, Job.status, Job.result, Job.error, Job.created_at, Job.finished_at,
)  # fmt: skip
PROVIDER_COLUMNS = (AiProvider.base_url, AiProvider.model, AiProvider.api_key_hint, AiProvider.updated_at)
USAGE_COLUMNS = (
    LlmUsage.day, LlmUsage.is_servers, LlmUsage.calls, LlmUsage.prompt_tokens, LlmUsage.completion_tokens,
)  # fmt: skip
BOOKMARK_COLUMNS = (
    Bookmark.id, Bookmark.organization_id, Bookmark.url, Bookmark.title, Bookmark.description, Bookmark.notes,
    Bookmark.site_name, Bookmark.author, Bookmark.published_at, Bookmark.image_url, Bookmark.language,
    Bookmark.word_count, Bookmark.is_read, Bookmark.is_favorite, Bookmark.is_archived, Bookmark.capture_status,
    Bookmark.captured_at, Bookmark.created_at, Bookmark.updated_at, Bookmark.deleted_at,
)  # fmt: skip
PROJECT_COLUMNS = (
    Project.id, Project.organization_id, Project.name, Project.description, Project.technologies, Project.status,
    Project.created_at, Project.updated_at, Project.deleted_at,
)  # fmt: skip
ATTACHMENT_COLUMNS = (
    ProjectBookmark.project_id, ProjectBookmark.bookmark_id, ProjectBookmark.organization_id, ProjectBookmark.note,
    ProjectBookmark.attached_at,
)  # fmt: skip
TASK_COLUMNS = (
    Task.id, Task.organization_id, Task.project_id, Task.parent_id, Task.title, Task.description, Task.status,
    Task.priority, Task.due_at, Task.completed_at, Task.position, Task.created_at, Task.updated_at, Task.deleted_at,
)  # fmt: skip
FEEDBACK_COLUMNS = (
    Feedback.id, Feedback.organization_id, Feedback.bookmark_id, Feedback.subject, Feedback.kind, Feedback.created_at,
    Feedback.updated_at,
)  # fmt: skip

Progress = Callable[[int, int, str], None]


class OrganizationLeft(Exception):
    """The person left an organization while their export was written: it holds what they may not see any more."""


@dataclass(frozen=True)
class Download:
    """A file's name, its size in bytes, and its pieces."""

    name: str
    size: int
    parts: Iterator[bytes]


def request_export(actor: Actor) -> Job:
    """A queued job that writes the export; the one that is under way, if there is one."""
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
    """The complete export, if it is the person's own, has not expired, and holds nothing of an organization that they
    have left since.

    Raises:
        NotFound: it is not, or never was.
    """
    mine = select(Export).where(Export.id == export_id, Export.user_id == actor.user_id)
    export = db.session.scalar(mine.where(Export.expires_at > func.now(), _may_see_all(actor.user_id)))
    if export is None or export.size is None:
        raise NotFound
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return Download(f"fuze-export-{export.created_at:%Y-%m-%d}.zip", export.size, read_parts(app, export.id))


def read_parts(app: Flask, export_id: UUID) -> Iterator[bytes]:
    """The pieces of an export in order, one in memory at a time; no connection is held between them."""
    for position in count():
        # The request is over while a client takes its time.
        with app.app_context():
            data = db.session.scalar(
                select(ExportPart.data).where(ExportPart.export_id == export_id, ExportPart.position == position)
            )
        if data is None:
            return
        yield data


def write_export(user_id: int, progress: Progress) -> Export:
    """Write all that is stored about the person, and drop earlier exports.

    Raises:
        OrganizationLeft: the person left one meanwhile; nothing is kept.
    """
    here = select(Membership.organization_id).where(Membership.user_id == user_id)
    organization_ids = sorted(db.session.scalars(here))
    export = Export(user_id=user_id, organization_ids=organization_ids, expires_at=utc_now() + LIFETIME)
    db.session.add(export)
    db.session.commit()
    parts = _Parts(export.id)
    with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in _files(user_id, organization_ids, progress):
            with archive.open(f"{name}.json", "w", force_zip64=True) as file:
                _write_list(file, rows)
    size = parts.finish()
    complete = update(Export).where(Export.id == export.id, _may_see_all(user_id)).values(size=size)
    if db.session.scalar(complete.returning(Export.id)) is None:
        db.session.execute(delete(Export).where(Export.id == export.id))
        db.session.commit()
        raise OrganizationLeft
    db.session.execute(delete(Export).where(Export.user_id == user_id, Export.id != export.id))
    db.session.commit()
    return export


def purge_exports() -> None:
    """Delete exports that have expired, and those that a dead worker left incomplete."""
    db.session.execute(delete(Export).where(Export.expires_at < func.now()))
    db.session.commit()


def _may_see_all(user_id: int) -> ColumnElement[bool]:
    """Whether a person belongs to every organization that an export of theirs holds texts of."""
    here = select(func.array_agg(Membership.organization_id)).where(Membership.user_id == user_id)
    return cast("ColumnElement[bool]", Export.organization_ids.contained_by(here.scalar_subquery()))


def _files(user_id: int, here: Sequence[int], progress: Progress) -> Iterator[tuple[str, Iterable[Any]]]:
    """All files. `here` are the organizations whose texts may be in them."""
    yield "profile", _rows(select(*USER_COLUMNS).where(User.id == user_id))
    yield (
        "organizations",
        _rows(
            select(Organization.id, Organization.name, Organization.slug, Organization.personal, Membership.role)
            .join(Membership, Membership.organization_id == Organization.id)
            .where(Membership.user_id == user_id, Organization.id.in_(here))
            .order_by(Organization.id)
        ),
    )
    yield "sessions", _rows(select(*SESSION_COLUMNS).where(Session.user_id == user_id).order_by(Session.created_at))
    yield "api_tokens", _rows(select(*TOKEN_COLUMNS).where(ApiToken.user_id == user_id).order_by(ApiToken.id))
    events = select(*EVENT_COLUMNS).where(SecurityEvent.user_id == user_id)
    yield "security_events", _rows(events.order_by(SecurityEvent.id))
    yield "recent_searches", _recent_searches(user_id, here)
    jobs = select(*JOB_COLUMNS).where(Job.user_id == user_id, Job.organization_id.in_(here))
    yield "jobs", _rows(jobs.order_by(Job.created_at))
    yield "ai_provider", _rows(select(*PROVIDER_COLUMNS).where(AiProvider.user_id == user_id))
    usage = select(*USAGE_COLUMNS).where(LlmUsage.user_id == user_id)
    yield "ai_usage", _rows(usage.order_by(LlmUsage.day, LlmUsage.is_servers))
    projects = select(*PROJECT_COLUMNS).where(_own(user_id, here, Project.organization_id, Project.user_id))
    yield "projects", _in_order(projects, Project.id)
    organization, person = ProjectBookmark.organization_id, ProjectBookmark.attached_by
    attachments = select(*ATTACHMENT_COLUMNS).where(_own(user_id, here, organization, person))
    yield "project_bookmarks", _in_order(attachments, ProjectBookmark.project_id, ProjectBookmark.bookmark_id)
    tasks = select(*TASK_COLUMNS).where(_own(user_id, here, Task.organization_id, Task.user_id))
    yield "tasks", _in_order(tasks, Task.id)
    feedback = select(*FEEDBACK_COLUMNS).where(Feedback.user_id == user_id, Feedback.organization_id.in_(here))
    yield "feedback", _in_order(feedback, Feedback.id)
    yield "bookmarks", _bookmarks(user_id, here, progress)


def _own(
    user_id: int,
    here: Sequence[int],
    organization: InstrumentedAttribute[int],
    person: InstrumentedAttribute[int | None],
) -> ColumnElement[bool]:
    """All of the personal organization, and what the person made in teams and can still see there."""
    home = select(User.personal_organization_id).where(User.id == user_id).scalar_subquery()
    return or_(organization == home, (person == user_id) & organization.in_(here))


def _in_order(statement: Select[*tuple[Any, ...]], *key: InstrumentedAttribute[int]) -> Iterator[dict[str, Any]]:
    """The rows of a statement in the order of a key, a batch at a time in memory."""
    after: Any = None
    while True:
        which = statement if after is None else statement.where(tuple_(*key) > tuple_(*after))
        rows = _rows(which.order_by(*key).limit(BATCH))
        yield from rows
        if len(rows) < BATCH:
            return
        after = [rows[-1][column.key] for column in key]


def _rows(statement: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in db.session.execute(statement)]


def _recent_searches(user_id: int, here: Sequence[int]) -> Iterator[dict[str, Any]]:
    """In the organizations that the person belongs to, the newest first; none while Redis is away."""
    memberships = select(Membership).where(Membership.user_id == user_id, Membership.organization_id.in_(here))
    for place in db.session.scalars(memberships.order_by(Membership.organization_id)).all():
        actor = Actor(user_id, place.organization_id, cast(Role, place.role))
        for search in recent_searches(actor, "", MOST_SEARCHES):
            yield {"organization_id": place.organization_id, "search": search}


def _bookmarks(user_id: int, here: Sequence[int], progress: Progress) -> Iterator[dict[str, Any]]:
    """All of the personal organization, and what the person saved in teams and can still see there."""
    ids = _bookmark_ids(user_id, here)
    for start in range(0, len(ids), BATCH):
        progress(start, len(ids), "Writing bookmarks")
        batch = ids[start : start + BATCH]
        bookmarks = db.session.execute(select(*BOOKMARK_COLUMNS).where(Bookmark.id.in_(batch)).order_by(Bookmark.id))
        rows = cast("Sequence[Row[Any]]", bookmarks.all())
        tags, sizes = _tags(batch), _text_sizes(batch)
        for portion in _portions(rows, sizes):
            pages = _pages([row.id for row in portion if row.id in sizes])
            for row in portion:
                yield {**row._mapping, "tags": tags.get(row.id, []), "page": pages.get(row.id)}


def _bookmark_ids(user_id: int, here: Sequence[int]) -> list[int]:
    home = select(User.personal_organization_id).where(User.id == user_id).scalar_subquery()
    own = db.session.scalars(select(Bookmark.id).where(Bookmark.organization_id == home)).all()
    in_teams = db.session.scalars(
        select(Bookmark.id).where(
            Bookmark.user_id == user_id, Bookmark.organization_id.in_(here), Bookmark.organization_id != home
        )
    )
    return sorted([*own, *in_teams])


def _tags(ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for bookmark_id, name in db.session.execute(
        select(BookmarkTag.bookmark_id, Tag.name)
        .join(Tag, Tag.id == BookmarkTag.tag_id)
        .where(BookmarkTag.bookmark_id.in_(ids))
        .order_by(BookmarkTag.bookmark_id, BookmarkTag.position)
    ):
        found.setdefault(bookmark_id, []).append(name)
    return found


def _text_sizes(ids: Sequence[int]) -> dict[int, int]:
    size = func.octet_length(BookmarkContent.text)
    rows = db.session.execute(select(BookmarkContent.bookmark_id, size).where(BookmarkContent.bookmark_id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def _portions(rows: Sequence[Row[Any]], sizes: dict[int, int]) -> Iterator[list[Row[Any]]]:
    portion: list[Row[Any]] = []
    total = 0
    for row in rows:
        size = sizes.get(row.id, 0)
        if portion and total + size > PORTION_BYTES:
            yield portion
            portion, total = [], 0
        portion.append(row)
        total += size
    if portion:
        yield portion


def _pages(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = (BookmarkContent.bookmark_id, BookmarkContent.title, BookmarkContent.byline, BookmarkContent.text)
    if not ids:
        return {}
    found = db.session.execute(select(*columns).where(BookmarkContent.bookmark_id.in_(ids)))
    return {row.bookmark_id: {"title": row.title, "byline": row.byline, "text": row.text} for row in found}


def _write_list(file: IO[bytes], rows: Iterable[Any]) -> None:
    before = b"[\n"
    for row in rows:
        file.write(before + orjson.dumps(row, option=orjson.OPT_UTC_Z))
        before = b",\n"
    file.write(b"\n]\n" if before == b",\n" else b"[]\n")


class _Parts(io.RawIOBase):
    """A file that is only written to, whose pieces go into the database as they fill up."""

    def __init__(self, export_id: UUID) -> None:
        self._export_id = export_id
        self._buffer = bytearray()
        self._position = 0
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            self._store(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]
        return len(data)

    def finish(self) -> int:
        """Store what is left; the size of the whole in bytes."""
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()
        return self._size

    def _store(self, data: bytes) -> None:
        values = {"export_id": self._export_id, "position": self._position, "data": data}
        db.session.execute(insert(ExportPart).values(**values))
        db.session.commit()
        self._position += 1
        self._size += len(data)
