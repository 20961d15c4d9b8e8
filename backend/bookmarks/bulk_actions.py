"""Bulk actions: one change to many bookmarks, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import aliased

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks.attachments.project_links import unknown_project
from backend.bookmarks.list_filters import filter_conditions
from backend.bookmarks.locking import lock_bookmarks
from backend.bookmarks.messages import capture_message, refresh_message
from backend.bookmarks.models import Bookmark, BookmarkTag, Tag
from backend.bookmarks.pending_capture import pending_capture_values
from backend.bookmarks.queries import id_in
from backend.bookmarks.schemas import MAX_TAGS, ActionIn
from backend.bookmarks.search_documents import refresh_documents
from backend.bookmarks.tags.assignment import TooManyTags, find_or_create_tags
from backend.bookmarks.upsert import BULK_PRIORITY, INTERACTIVE_PRIORITY
from backend.clock import utc_now
from backend.database import retry_on_conflict
from backend.errors import Invalid
from backend.extensions import db
from backend.jobs.queue import Message, send
from backend.projects.models import ProjectBookmark
from backend.projects.service import lock_projects
from backend.text.tag_names import tag_key

# Up to this number the request refreshes search documents; beyond it a worker does.
INLINE_DOCUMENTS = 500

FLAGS: dict[str, dict[str, Any]] = {
    "archive": {"is_archived": True},
    "unarchive": {"is_archived": False},
    "read": {"is_read": True},
    "unread": {"is_read": False},
    "favorite": {"is_favorite": True},
    "unfavorite": {"is_favorite": False},
}
# What the log calls the actions; all others are updates.
ACTIVITY = {
    "delete": ActivityType.BOOKMARK_DELETED,
    "restore": ActivityType.BOOKMARK_RESTORED,
    "capture": ActivityType.CAPTURE_REQUESTED,
    "add_to_project": ActivityType.BOOKMARK_ATTACHED,
    "remove_from_project": ActivityType.BOOKMARK_DETACHED,
}
# The position of a tag that a bulk action adds: after the tags in a person's order.
APPENDED_POSITION = 1_000
Conditions = Sequence[ColumnElement[bool]]
Change = tuple[int, list[Message]]


@retry_on_conflict
def apply_action(actor: Actor, action: ActionIn) -> int:
    """Carry out an action and return the number of bookmarks changed; those already in the target state are not
    counted.

    Raises:
        Invalid: neither or both of `ids` and `filter`, tags or project missing, or no such project.
    """
    selection = _selection(actor, action)
    if action.action in FLAGS:
        affected, messages = _set_flags(selection, FLAGS[action.action])
    else:
        affected, messages = ACTIONS[action.action](actor, selection, action)
    if affected:
        kind = ACTIVITY.get(action.action, ActivityType.BOOKMARK_UPDATED)
        record_activity(actor, kind, action=action.action, count=affected, project_id=action.project_id)
    db.session.commit()
    send(messages)
    return affected


def refresh_or_defer(bookmark_ids: Sequence[int]) -> list[Message]:
    """Refresh search documents if they are few, else mark them for a worker; return the messages to send."""
    if len(bookmark_ids) <= INLINE_DOCUMENTS:
        refresh_documents(bookmark_ids)
        return []
    db.session.execute(
        update(Bookmark).where(id_in(bookmark_ids)).values(document_due_at=func.now()),
        execution_options={"synchronize_session": False},
    )
    return [refresh_message()]


def _selection(actor: Actor, action: ActionIn) -> Conditions:
    if (action.ids is None) == (action.filter is None):
        raise Invalid.field("body.ids", "Give either ids or a filter.", "ids_or_filter")
    if action.ids is not None:
        is_restore = action.action == "restore"
        state = Bookmark.deleted_at.is_not(None) if is_restore else Bookmark.deleted_at.is_(None)
        return [Bookmark.organization_id == actor.organization_id, state, Bookmark.id.in_(action.ids)]
    assert action.filter is not None
    filter_ = action.filter.model_copy(update={"deleted": action.action == "restore" or action.filter.deleted})
    return filter_conditions(actor, filter_)


def _set_flags(selection: Conditions, values: dict[str, Any]) -> Change:
    changes = [getattr(Bookmark, name).is_distinct_from(value) for name, value in values.items()]
    return _update(lock_bookmarks(*selection, *changes), **values)


def _update(ids: Sequence[int], **values: Any) -> Change:
    statement = update(Bookmark).where(id_in(ids)).values(updated_at=utc_now(), **values)
    db.session.execute(statement, execution_options={"synchronize_session": False})
    return len(ids), []


def _add_tags(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    names = _tags(action)
    bookmarks = lock_bookmarks(*selection)
    tags = list(find_or_create_tags(actor, names).values())
    pairs = (
        select(Bookmark.id, Tag.id, literal(APPENDED_POSITION))
        .join(Tag, Tag.organization_id == Bookmark.organization_id)
        .where(id_in(bookmarks), Tag.id.in_(tags))
    )
    statement = insert(BookmarkTag).from_select(["bookmark_id", "tag_id", "position"], pairs)
    attached = statement.on_conflict_do_nothing().returning(BookmarkTag.bookmark_id).cte("attached")
    # A statement does not see its own inserts: both are counted.
    before = select(func.count()).where(BookmarkTag.bookmark_id == attached.c.bookmark_id).scalar_subquery()
    total = (func.count() + before).label("total")
    rows = db.session.execute(select(attached.c.bookmark_id, total).group_by(attached.c.bookmark_id)).all()
    if overfull := [row.bookmark_id for row in rows if row.total > MAX_TAGS]:
        raise TooManyTags.on_bookmarks(overfull)
    return _retagged(row.bookmark_id for row in rows)


def _remove_tags(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    keys = [tag_key(name) for name in _tags(action)]
    tags = select(Tag.id).where(Tag.organization_id == actor.organization_id, Tag.name_key.in_(keys))
    has_tag = exists().where(BookmarkTag.bookmark_id == Bookmark.id, BookmarkTag.tag_id.in_(tags))
    bookmarks = lock_bookmarks(*selection, has_tag)
    statement = delete(BookmarkTag).where(
        BookmarkTag.bookmark_id == any_(literal(bookmarks, ARRAY(BigInteger))), BookmarkTag.tag_id.in_(tags)
    )
    return _retagged(
        db.session.scalars(
            statement.returning(BookmarkTag.bookmark_id), execution_options={"synchronize_session": False}
        )
    )


def _retagged(bookmark_ids: Iterable[int]) -> Change:
    changed = sorted(set(bookmark_ids))
    _update(changed)
    return len(changed), refresh_or_defer(changed)


def _tags(action: ActionIn) -> list[str]:
    if not action.tags:
        raise Invalid.field("body.tags", "This action needs tags.", "missing")
    return action.tags


def _delete(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    return _update(lock_bookmarks(*selection, Bookmark.deleted_at.is_(None)), deleted_at=utc_now())


def _restore(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    duplicate = aliased(Bookmark)
    is_saved_again = exists().where(
        duplicate.organization_id == actor.organization_id,
        duplicate.url_hash == Bookmark.url_hash,
        duplicate.deleted_at.is_(None),
    )
    # Only the newest of several deleted bookmarks of a link is restored, and none if the link was saved again.
    newest = (
        select(Bookmark.id)
        .ext(distinct_on(Bookmark.url_hash))
        .where(id_in(lock_bookmarks(*selection)), ~is_saved_again)
        .order_by(Bookmark.url_hash, Bookmark.id.desc())
    )
    return _update(db.session.scalars(newest).all(), deleted_at=None)


def _capture(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    ids = lock_bookmarks(*selection)
    affected, _ = _update(ids, **pending_capture_values(INTERACTIVE_PRIORITY if len(ids) == 1 else BULK_PRIORITY))
    return affected, [capture_message()] if ids else []


def _add_to_project(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    bookmarks = lock_bookmarks(*selection)
    project = _project(actor, action)
    pairs = select(literal(project), Bookmark.id, Bookmark.organization_id, literal(actor.user_id)).where(
        id_in(bookmarks)
    )
    columns = ["project_id", "bookmark_id", "organization_id", "attached_by"]
    statement = insert(ProjectBookmark).from_select(columns, pairs).on_conflict_do_nothing()
    return _update(db.session.scalars(statement.returning(ProjectBookmark.bookmark_id)).all())


def _remove_from_project(actor: Actor, selection: Conditions, action: ActionIn) -> Change:
    bookmarks = lock_bookmarks(*selection)
    statement = delete(ProjectBookmark).where(
        ProjectBookmark.project_id == _project(actor, action),
        ProjectBookmark.bookmark_id == any_(literal(bookmarks, ARRAY(BigInteger))),
    )
    return _update(
        db.session.scalars(
            statement.returning(ProjectBookmark.bookmark_id), execution_options={"synchronize_session": False}
        ).all()
    )


def _project(actor: Actor, action: ActionIn) -> int:
    if action.project_id is None:
        raise Invalid.field("body.project_id", "This action needs a project.", "missing")
    if not lock_projects(actor, [action.project_id]):
        raise unknown_project("body.project_id", action.project_id)
    return action.project_id


ACTIONS: dict[str, Callable[[Actor, Conditions, ActionIn], Change]] = {
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "add_to_project": _add_to_project,
    "remove_from_project": _remove_from_project,
    "delete": _delete,
    "restore": _restore,
    "capture": _capture,
}
