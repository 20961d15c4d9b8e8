"""Maintained counts: totals of filters that triggers keep up to date, exact in every transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.sql.elements import BindParameter

from backend.actor import Actor
from backend.bookmarks.models import BookmarkCount, Tag, TagCount
from backend.bookmarks.schemas import ActionFilter, BookmarkFilter
from backend.bookmarks.states import BookmarkStates
from backend.text.tag_names import tag_key

# No maintained count covers these filters.
UNCOUNTED = ("project_id", "domain", "created_after", "created_before")
_OF_ORGANIZATION = select(cast(func.coalesce(func.sum(BookmarkCount.bookmarks), 0), BigInteger))
_OF_TAG = select(cast(func.coalesce(func.sum(TagCount.bookmarks), 0), BigInteger))
# Outside the trash.
TAGGED_BOOKMARKS = _OF_TAG.where(TagCount.tag_id == Tag.id).correlate(Tag).scalar_subquery()


def maintained_total(
    actor: Actor, filter_: BookmarkFilter | ActionFilter, states: BookmarkStates
) -> Select[int] | None:
    """Build a statement for the number of bookmarks that pass the filter; None where no maintained count covers it."""
    if (filter_.q or "").strip() or any(getattr(filter_, name) is not None for name in UNCOUNTED):
        return None
    if not filter_.tag:
        return total_in_states(actor.organization_id, states)
    is_counted = len({tag_key(name) for name in filter_.tag}) == 1 and states == BookmarkStates(
        is_archived=states.is_archived
    )
    return _of_tag(actor, filter_.tag[0], states.is_archived) if is_counted else None


def total_in_states(organization_id: int | BindParameter[int], states: BookmarkStates) -> Select[int]:
    """Build a statement for the number of an organization's bookmarks in these states."""
    return _OF_ORGANIZATION.where(
        BookmarkCount.organization_id == organization_id,
        *(getattr(BookmarkCount, name) == value for name, value in states._asdict().items() if value is not None),
    )


def _of_tag(actor: Actor, name: str, archived: bool | None) -> Select[int]:
    statement = _OF_TAG.join(Tag, Tag.id == TagCount.tag_id)
    if archived is not None:
        statement = statement.where(TagCount.is_archived == archived)
    return statement.where(Tag.organization_id == actor.organization_id, Tag.name_key == tag_key(name))
