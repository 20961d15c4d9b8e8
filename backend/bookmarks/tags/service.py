"""Tags of an organization: list, rename, merge, delete."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks.bulk_actions import refresh_or_defer
from backend.bookmarks.counts import TAGGED_BOOKMARKS
from backend.bookmarks.locking import lock_bookmarks
from backend.bookmarks.models import Bookmark, BookmarkTag, Tag
from backend.bookmarks.tags.schemas import TagListQuery, TagOut, TagPage
from backend.database import retry_on_conflict
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.queue import Message, send
from backend.text.tag_names import tag_key

IS_USED = select(BookmarkTag.tag_id).where(BookmarkTag.tag_id == Tag.id).correlate(Tag).exists()
BOOKMARK_COUNT = TAGGED_BOOKMARKS.label("bookmark_count")


def list_tags(actor: Actor, query: TagListQuery) -> TagPage:
    """Return one page of tags, each with its number of bookmarks outside the trash."""
    conditions = [Tag.organization_id == actor.organization_id]
    if query.q:
        conditions.append(Tag.name_key.startswith(tag_key(query.q), autoescape=True))
    if query.unused is not None:
        conditions.append(~IS_USED if query.unused else IS_USED)
    shape = select(Tag.id, Tag.name, Tag.name_key, BOOKMARK_COUNT)
    page = paginate(conditions, shape, Sort(query.sort, Tag.name_key, Tag.id), query)
    return page_of(TagPage, page, [TagOut.model_validate(row) for row in page.rows])


@retry_on_conflict
def rename_tag(actor: Actor, tag_id: int, name: str) -> TagOut:
    """Rename a tag on all its bookmarks.

    Raises:
        NotFound: there is no such tag.
        Conflict: another tag has the name, compared without case; carries `existing_id`, which a merge takes.
    """
    tag = _lock_tags(actor, [tag_id]).get(tag_id)
    if tag is None:
        raise NotFound
    taken_by = db.session.scalar(
        select(Tag.id).where(
            Tag.organization_id == actor.organization_id, Tag.name_key == tag_key(name), Tag.id != tag_id
        )
    )
    if taken_by is not None:
        raise Conflict("A tag of this name exists already.", existing_id=taken_by)
    tag.name, tag.name_key = name, tag_key(name)
    db.session.flush()
    record_activity(actor, ActivityType.TAG_RENAMED, tag_id)
    return _finish(tag_id, _bookmarks_of(tag_id))


@retry_on_conflict
def merge_tags(actor: Actor, tag_id: int, into_id: int) -> TagOut:
    """Replace this tag by another one on all its bookmarks, and delete it.

    Raises:
        NotFound: there is no such tag.
        Invalid: there is no such target, or it is the same tag.
    """
    tags = _lock_tags(actor, [tag_id, into_id])
    if tag_id not in tags:
        raise NotFound
    if into_id not in tags or into_id == tag_id:
        raise Invalid.field("body.into_id", "This is not another tag of yours.", "unknown_tag")
    touched = _bookmarks_of(tag_id)
    links = select(BookmarkTag.bookmark_id, literal(into_id), BookmarkTag.position).where(BookmarkTag.tag_id == tag_id)
    db.session.execute(
        insert(BookmarkTag).from_select(["bookmark_id", "tag_id", "position"], links).on_conflict_do_nothing()
    )
    db.session.execute(delete(Tag).where(Tag.id == tag_id))
    record_activity(actor, ActivityType.TAG_MERGED, tag_id, into_id=into_id)
    return _finish(into_id, touched)


@retry_on_conflict
def delete_tag(actor: Actor, tag_id: int) -> None:
    """Delete a tag and remove it from all its bookmarks.

    Raises:
        NotFound: there is no such tag.
    """
    if not _lock_tags(actor, [tag_id]):
        raise NotFound
    touched = _bookmarks_of(tag_id)
    db.session.execute(delete(Tag).where(Tag.id == tag_id))
    messages = _touch(touched)
    record_activity(actor, ActivityType.TAG_DELETED, tag_id)
    db.session.commit()
    send(messages)


@retry_on_conflict
def delete_tags(actor: Actor, *, unused: bool) -> int:
    """Delete the tags that no bookmark carries, not even one in the trash, and return their number.

    Raises:
        Invalid: the request is not restricted to unused tags.
    """
    if not unused:
        raise Invalid.field("query.unused", "Only unused tags can be deleted at once: say unused=true.", "missing")
    unused_ids = select(Tag.id).where(Tag.organization_id == actor.organization_id, ~IS_USED).order_by(Tag.id)
    # The lock waits for transactions that attach one of them; then the tag is no longer unused.
    ids = db.session.scalars(unused_ids.with_for_update()).all()
    still_unused = Tag.id == any_(literal(ids, ARRAY(BigInteger)))
    deleted = db.session.scalars(delete(Tag).where(still_unused, ~IS_USED).returning(Tag.id)).all()
    if deleted:
        record_activity(actor, ActivityType.TAG_DELETED, count=len(deleted))
    db.session.commit()
    return len(deleted)


def _lock_tags(actor: Actor, tag_ids: Sequence[int]) -> dict[int, Tag]:
    """Lock the organization's tags among these, and all their bookmarks, until the end of the transaction; return the
    tags by id.

    Transactions that attach one of them are waited for, and later ones wait.
    """
    lock_bookmarks(
        Bookmark.organization_id == actor.organization_id,
        Bookmark.id.in_(select(BookmarkTag.bookmark_id).where(BookmarkTag.tag_id.in_(tag_ids))),
    )
    tags = db.session.scalars(
        select(Tag)
        .where(Tag.id.in_(tag_ids), Tag.organization_id == actor.organization_id)
        .order_by(Tag.id)
        .with_for_update()
    )
    return {tag.id: tag for tag in tags}


def _bookmarks_of(tag_id: int) -> list[int]:
    return list(db.session.scalars(select(BookmarkTag.bookmark_id).where(BookmarkTag.tag_id == tag_id)))


def _touch(bookmark_ids: list[int]) -> list[Message]:
    """Mark bookmarks as updated: for clients, and for transactions that have read them with other tags."""
    db.session.execute(update(Bookmark).where(Bookmark.id.in_(bookmark_ids)).values(updated_at=func.now()))
    return refresh_or_defer(bookmark_ids)


def _finish(tag_id: int, touched: list[int]) -> TagOut:
    messages = _touch(touched)
    row = db.session.execute(select(Tag.id, Tag.name, BOOKMARK_COUNT).where(Tag.id == tag_id)).one()
    tag = TagOut.model_validate(row)
    db.session.commit()
    send(messages)
    return tag
