"""Assignment of tags to bookmarks, many at a time, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete

from backend.actor import Actor
from backend.bookmarks.models import BookmarkTag
from backend.bookmarks.schemas import MAX_TAGS
from backend.errors import FieldError, Invalid
from backend.extensions import current_settings, db
from backend.named_blocks import read_statements
from backend.text.tag_names import tag_key

SQL = read_statements(__file__)


class TooManyTags(Invalid):
    """More tags than a bookmark, or the organization, may have.

    Attributes:
        bookmark_ids: The bookmarks with too many tags.
        tag_keys: The tags beyond the organization's limit.
        links: The bookmarks by the hash of their URL, where the caller sets it.
    """

    def __init__(self, message: str, *, bookmark_ids: Iterable[int] = (), tag_keys: Iterable[str] = ()) -> None:
        super().__init__([FieldError("body.tags", message, "too_many_tags")])
        self.message = message
        self.bookmark_ids, self.tag_keys = frozenset(bookmark_ids), frozenset(tag_keys)
        self.links: frozenset[bytes] = frozenset()

    @classmethod
    def on_bookmarks(cls, bookmark_ids: Iterable[int]) -> TooManyTags:
        """Build the refusal for bookmarks."""
        return cls(f"A bookmark has at most {MAX_TAGS} tags; with these it would have more.", bookmark_ids=bookmark_ids)

    @classmethod
    def in_organization(cls, most: int, tag_keys: Iterable[str]) -> TooManyTags:
        """Build the refusal for an organization, with the tags beyond its limit."""
        return cls(f"This organization has room for {most} tags; delete those without bookmarks.", tag_keys=tag_keys)


def attach_tags(actor: Actor, names_of: Mapping[int, Sequence[str]]) -> None:
    """Add tags to bookmarks, after their existing ones; creates missing tags. One statement.

    All tags are attached by this function or `bulk_actions`. The bookmarks are locked, or new.

    Raises:
        TooManyTags: for a bookmark, or for the organization.
    """
    _find_or_create(actor, (name for names in names_of.values() for name in names), names_of)


def replace_tags(actor: Actor, bookmark_id: int, names: Sequence[str]) -> None:
    """Replace the tags of a bookmark."""
    db.session.execute(delete(BookmarkTag).where(BookmarkTag.bookmark_id == bookmark_id))
    attach_tags(actor, {bookmark_id: names})


def find_or_create_tags(actor: Actor, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of these tags by key; missing tags are created. One statement."""
    return _find_or_create(actor, names, {})


def _find_or_create(actor: Actor, names: Iterable[str], names_of: Mapping[int, Sequence[str]]) -> dict[str, int]:
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(tag_key(name), name)
    if not by_key:
        return {}
    links = [
        (bookmark_id, tag_key(name), position)
        for bookmark_id, names_in_order in names_of.items()
        for position, name in enumerate(names_in_order)
    ]
    limit = current_settings().MAX_TAGS_PER_ORGANIZATION
    values = {
        "organization_id": actor.organization_id,
        "names": list(by_key.values()),
        "keys": list(by_key),
        "bookmark_ids": [bookmark_id for bookmark_id, _, _ in links],
        "link_keys": [key for _, key, _ in links],
        "positions": [position for _, _, position in links],
        "max_of_bookmark": MAX_TAGS,
        "max_of_organization": limit,
    }
    rows = db.session.execute(SQL["find_or_create_and_attach"], values).all()
    if rows[0].is_full:
        raise TooManyTags.in_organization(limit, [row.name_key for row in rows if row.is_created])
    if rows[0].overfull:
        raise TooManyTags.on_bookmarks(rows[0].overfull)
    return {row.name_key: row.id for row in rows}
