"""How many bookmarks pass a filter, where that is known beforehand: kept by triggers, exact in every transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, Select, cast, func, select

from backend.actor import Actor
from backend.bookmarks.models import BookmarkCount, Tag, TagCount
from backend.bookmarks.schemas import ActionFilter, BookmarkFilter
from backend.text.tag_names import tag_key

STATES = ("is_read", "is_favorite", "capture_status")
# Which bookmarks these leave nobody has counted beforehand.
UNCOUNTED = ("project_id", "domain", "created_after", "created_before")
_OF_ORGANIZATION = select(cast(func.coalesce(func.sum(BookmarkCount.bookmarks), 0), BigInteger))
_OF_TAG = select(cast(func.coalesce(func.sum(TagCount.bookmarks), 0), BigInteger))
# Outside the trash.
TAGGED_BOOKMARKS = _OF_TAG.where(TagCount.tag_id == Tag.id).correlate(Tag).scalar_subquery()


def maintained_total(actor: Actor, wanted: BookmarkFilter | ActionFilter, archived: bool | None) -> Select[int] | None:
    """A statement for the number of bookmarks that the filter leaves; None where they have to be counted.

    `archived` is what the filter means by `is_archived`, None for any.
    """
    states = {name: getattr(wanted, name) for name in STATES if getattr(wanted, name) is not None}
    if (wanted.q or "").strip() or any(getattr(wanted, name) is not None for name in UNCOUNTED):
        return None
    if not wanted.tag:
        if wanted.untagged is not None:
            states["is_tagged"] = not wanted.untagged
        return _of_organization(actor, states | {"is_deleted": wanted.deleted}, archived)
    is_counted = (
        len({tag_key(name) for name in wanted.tag}) == 1
        and not states
        and wanted.untagged is None
        and not wanted.deleted
    )
    return _of_tag(actor, wanted.tag[0], archived) if is_counted else None


def _of_organization(actor: Actor, states: dict[str, object], archived: bool | None) -> Select[int]:
    if archived is not None:
        states = states | {"is_archived": archived}
    return _OF_ORGANIZATION.where(
        BookmarkCount.organization_id == actor.organization_id,
        *(getattr(BookmarkCount, name) == value for name, value in states.items()),
    )


def _of_tag(actor: Actor, name: str, archived: bool | None) -> Select[int]:
    found = _OF_TAG.join(Tag, Tag.id == TagCount.tag_id)
    if archived is not None:
        found = found.where(TagCount.is_archived == archived)
    return found.where(Tag.organization_id == actor.organization_id, Tag.name_key == tag_key(name))
