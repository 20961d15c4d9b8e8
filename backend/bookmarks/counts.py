"""Maintained counts: totals of filters that triggers keep up to date, exact in every transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, Select, cast, func, select

from backend.actor import Actor
from backend.bookmarks.models import BookmarkCount, Tag, TagCount
from backend.bookmarks.schemas import ActionFilter, BookmarkFilter
from backend.text.tag_names import tag_key

STATES = ("is_read", "is_favorite", "capture_status")
# No maintained count covers these filters.
UNCOUNTED = ("project_id", "domain", "created_after", "created_before")
_OF_ORGANIZATION = select(cast(func.coalesce(func.sum(BookmarkCount.bookmarks), 0), BigInteger))
_OF_TAG = select(cast(func.coalesce(func.sum(TagCount.bookmarks), 0), BigInteger))
# Outside the trash.
TAGGED_BOOKMARKS = _OF_TAG.where(TagCount.tag_id == Tag.id).correlate(Tag).scalar_subquery()


def maintained_total(actor: Actor, filter_: BookmarkFilter | ActionFilter, archived: bool | None) -> Select[int] | None:
    """Build a statement for the number of bookmarks that pass the filter; None where no maintained count covers it.

    `archived` is the meaning of the filter's `is_archived`, None for any value.
    """
    states = {name: getattr(filter_, name) for name in STATES if getattr(filter_, name) is not None}
    if (filter_.q or "").strip() or any(getattr(filter_, name) is not None for name in UNCOUNTED):
        return None
    if not filter_.tag:
        if filter_.untagged is not None:
            states["is_tagged"] = not filter_.untagged
        return _of_organization(actor, states | {"is_deleted": filter_.deleted}, archived)
    is_counted = (
        len({tag_key(name) for name in filter_.tag}) == 1
        and not states
        and filter_.untagged is None
        and not filter_.deleted
    )
    return _of_tag(actor, filter_.tag[0], archived) if is_counted else None


def _of_organization(actor: Actor, states: dict[str, object], archived: bool | None) -> Select[int]:
    if archived is not None:
        states = states | {"is_archived": archived}
    return _OF_ORGANIZATION.where(
        BookmarkCount.organization_id == actor.organization_id,
        *(getattr(BookmarkCount, name) == value for name, value in states.items()),
    )


def _of_tag(actor: Actor, name: str, archived: bool | None) -> Select[int]:
    statement = _OF_TAG.join(Tag, Tag.id == TagCount.tag_id)
    if archived is not None:
        statement = statement.where(TagCount.is_archived == archived)
    return statement.where(Tag.organization_id == actor.organization_id, Tag.name_key == tag_key(name))
