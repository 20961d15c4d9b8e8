"""The sections of a JSON export: each yields its items in batches, for `account_json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend.bookmarks.models import Bookmark, BookmarkContent, Tag
from backend.bookmarks.queries import id_in
from backend.extensions import db
from backend.projects import queries as projects
from backend.projects.models import Project, ProjectBookmark
from backend.recommendations.models import Feedback
from backend.tasks import queries as tasks
from backend.tasks.models import Task
from backend.transfer.export.selection import Batch, ExportSelection

Item = dict[str, Any]
PROJECT_COLUMNS = (
    Project.id, Project.name, Project.description, Project.technologies, Project.status, Project.created_at,
    Project.updated_at,
)  # fmt: skip
# The depth comes first: a task stands behind the one that it is a step of.
TASK_COLUMNS = (
    Task.depth, Task.id, Task.project_id, Task.parent_id, Task.title, Task.description, Task.status, Task.priority,
    Task.due_at, Task.completed_at, Task.position, Task.created_at, Task.updated_at,
)  # fmt: skip
BOOKMARK_FIELDS = (
    "id", "url", "title", "description", "notes", "tags", "is_read", "is_favorite", "is_archived", "created_at",
    "updated_at", "site_name", "author", "published_at", "image_url", "language", "word_count", "capture_status",
    "captured_at",
)  # fmt: skip
PAGE_COLUMNS = (
    BookmarkContent.bookmark_id, BookmarkContent.title, BookmarkContent.byline, BookmarkContent.text,
    BookmarkContent.html, BookmarkContent.captured_at,
)  # fmt: skip


def tag_items(selection: ExportSelection) -> Iterator[list[Item]]:
    """Yield all tags, also those that no bookmark carries."""
    which = select(Tag.id, Tag.name).where(Tag.organization_id == selection.actor.organization_id)
    for rows in selection.in_order(which, Tag.id):
        yield [{"name": row.name} for row in rows]


def project_items(selection: ExportSelection) -> Iterator[list[Item]]:
    """Yield the projects outside the trash; of filtered bookmarks those that they are attached to."""
    which = select(*PROJECT_COLUMNS).where(projects.not_trashed(selection.actor))
    if selection.has_filters:
        attached = select(ProjectBookmark.project_id).join(Bookmark, Bookmark.id == ProjectBookmark.bookmark_id)
        which = which.where(Project.id.in_(attached.where(*selection.conditions)))
    for rows in selection.in_order(which, Project.id):
        yield _plain(rows)


def task_items(selection: ExportSelection) -> Iterator[list[Item]]:
    """Yield the tasks outside the trash, level by level."""
    which = select(*TASK_COLUMNS).where(tasks.not_trashed(selection.actor))
    for rows in selection.in_order(which, Task.depth, Task.id):
        yield [{name: value for name, value in row._mapping.items() if name != "depth"} for row in rows]


def bookmark_items(selection: ExportSelection) -> Iterator[list[Item]]:
    """Yield the bookmarks, each with the projects that it is attached to and, if asked for, its page."""
    for rows in selection.batches():
        ids = [row.id for row in rows]
        attached, pages = selection.read(lambda ids=ids: _details(selection, ids))  # type: ignore[misc]
        yield [_bookmark(row, attached, pages) for row in rows]


def feedback_items(selection: ExportSelection) -> Iterator[list[Item]]:
    """Yield what the person themselves said of bookmarks outside the trash."""
    about = aliased(Bookmark)
    number = cast(func.split_part(Feedback.subject, ":", 2), BigInteger)
    is_about = about.id == case((Feedback.subject.like("bookmark:%"), number))
    columns = (Feedback.id, Bookmark.url, Feedback.kind, Feedback.subject, Feedback.created_at, Feedback.updated_at)
    which = select(*columns, about.url.label("subject_url")).join(Bookmark, Bookmark.id == Feedback.bookmark_id)
    which = which.outerjoin(about, is_about).where(*_own_feedback(selection))
    for rows in selection.in_order(which, Feedback.id):
        yield [{name: value for name, value in row._mapping.items() if name != "id"} for row in rows]


def _own_feedback(selection: ExportSelection) -> list[ColumnElement[bool]]:
    actor = selection.actor
    own = [Feedback.user_id == actor.user_id, Feedback.organization_id == actor.organization_id]
    return [*own, Bookmark.deleted_at.is_(None)]


def _plain(rows: Batch) -> list[Item]:
    return [dict(row._mapping) for row in rows]


def _bookmark(row: Row[Any], attached: dict[int, list[Item]], pages: dict[int, Item]) -> Item:
    item = {name: row._mapping[name] for name in BOOKMARK_FIELDS}
    item["projects"] = attached.get(row.id, [])
    return {**item, "page": pages[row.id]} if row.id in pages else item


def _details(selection: ExportSelection, ids: Sequence[int]) -> tuple[dict[int, list[Item]], dict[int, Item]]:
    return _attached(selection, ids), _pages(ids) if selection.with_pages else {}


def _attached(selection: ExportSelection, ids: Sequence[int]) -> dict[int, list[Item]]:
    columns = (ProjectBookmark.bookmark_id, *_ATTACHMENT)
    which = select(*columns).join(Project, Project.id == ProjectBookmark.project_id)
    which = which.where(projects.not_trashed(selection.actor), ProjectBookmark.bookmark_id.in_(ids))
    found: dict[int, list[Item]] = {}
    for row in db.session.execute(which.order_by(ProjectBookmark.bookmark_id, ProjectBookmark.project_id)):
        item = {column.key: row._mapping[column.key] for column in _ATTACHMENT}
        found.setdefault(row.bookmark_id, []).append(item)
    return found


_ATTACHMENT: tuple[InstrumentedAttribute[Any], ...] = (
    ProjectBookmark.project_id,
    ProjectBookmark.note,
    ProjectBookmark.attached_at,
)


def _pages(ids: Sequence[int]) -> dict[int, Item]:
    which = select(*PAGE_COLUMNS).join(Bookmark, Bookmark.id == BookmarkContent.bookmark_id).where(id_in(ids))
    return {
        row.bookmark_id: {name: value for name, value in row._mapping.items() if name != "bookmark_id"}
        for row in db.session.execute(which)
    }
