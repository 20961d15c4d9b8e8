"""Putting tags on bookmarks, many at a time, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, text

from backend.actor import Actor
from backend.bookmarks.models import BookmarkTag
from backend.bookmarks.schemas import MAX_TAGS
from backend.errors import FieldError, Invalid
from backend.extensions import current_settings, db
from backend.text.tag_names import tag_key

# Existing tags are held with the lock that a foreign key takes, so that none is renamed, merged or deleted before it is
# attached, and writers of popular tags do not wait for each other. New ones go in sorted by key, so that two writers of
# the same new tags cannot dead-lock; the update that changes nothing returns the id of a tag that another writer made
# in between. It must not touch the key: that would wait for all who hold the tag.
FIND_OR_MAKE_AND_ATTACH = text("""
    WITH wanted AS (
        SELECT name, name_key
          FROM unnest(CAST(:names AS text[]), CAST(:keys AS text[])) AS given(name, name_key)),
    existing AS (
        SELECT t.id, t.name_key FROM tags t JOIN wanted USING (name_key)
         WHERE t.organization_id = :organization_id
         ORDER BY t.id FOR KEY SHARE OF t),
    made AS (
        INSERT INTO tags (organization_id, name, name_key)
        SELECT :organization_id, name, name_key FROM wanted
         WHERE name_key NOT IN (SELECT name_key FROM existing)
         ORDER BY name_key
        ON CONFLICT (organization_id, name_key) DO UPDATE SET name = tags.name
        RETURNING id, name_key),
    known AS (SELECT id, name_key FROM existing UNION ALL SELECT id, name_key FROM made),
    attached AS (
        INSERT INTO bookmark_tags (bookmark_id, tag_id, position)
        SELECT carried.bookmark_id, known.id, least(32767, carried.position + coalesce(
               (SELECT max(bt.position) + 1 FROM bookmark_tags bt WHERE bt.bookmark_id = carried.bookmark_id), 0))
          FROM unnest(CAST(:bookmark_ids AS bigint[]), CAST(:carried AS text[]), CAST(:positions AS bigint[]))
               AS carried(bookmark_id, name_key, position)
          JOIN known USING (name_key)
         ORDER BY carried.bookmark_id, known.id, carried.position
        ON CONFLICT DO NOTHING
        RETURNING bookmark_id),
    -- What the statement has written it does not see: both are counted.
    overfull AS (
        SELECT new.bookmark_id FROM (SELECT bookmark_id, count(*) AS tags FROM attached GROUP BY bookmark_id) new
         WHERE new.tags + (SELECT count(*) FROM bookmark_tags bt WHERE bt.bookmark_id = new.bookmark_id) > :most),
    is_full AS (
        SELECT count(*) + (SELECT count(*) FROM made) > :most_of_all AS now
          FROM (SELECT FROM tags WHERE organization_id = :organization_id AND EXISTS (SELECT FROM made)
                 LIMIT :most_of_all) t)
    SELECT id, name_key, id IN (SELECT id FROM made) AS is_made, ARRAY(SELECT bookmark_id FROM overfull) AS overfull,
           (SELECT now FROM is_full) AS is_full
      FROM known
""")


class TooManyTags(Invalid):
    """A bookmark would have more tags than one may have, or the organization.

    Attributes:
        bookmark_ids: Of the bookmarks.
        tag_keys: Of the tags that there is no room for in the organization.
        links: The bookmarks by the hash of their URL, where that is known.
    """

    def __init__(self, message: str, *, bookmark_ids: Iterable[int] = (), tag_keys: Iterable[str] = ()) -> None:
        super().__init__([FieldError("body.tags", message, "too_many_tags")])
        self.message = message
        self.bookmark_ids, self.tag_keys = frozenset(bookmark_ids), frozenset(tag_keys)
        self.links: frozenset[bytes] = frozenset()

    @classmethod
    def on_bookmarks(cls, bookmark_ids: Iterable[int]) -> TooManyTags:
        """Of these bookmarks."""
        return cls(f"A bookmark has at most {MAX_TAGS} tags; with these it would have more.", bookmark_ids=bookmark_ids)

    @classmethod
    def in_organization(cls, most: int, tag_keys: Iterable[str]) -> TooManyTags:
        """Of the organization; these are too many."""
        return cls(f"This organization has room for {most} tags; delete those without bookmarks.", tag_keys=tag_keys)


def attach_tags(actor: Actor, names_of: Mapping[int, Sequence[str]]) -> None:
    """Add tags to bookmarks, after those that they have; makes the tags that are new. One statement.

    Every way that tags come to bookmarks leads through here or `actions.add_tags`. The bookmarks are locked, or new.

    Raises:
        TooManyTags: for a bookmark, or for the organization.
    """
    _find_or_make(actor, (name for names in names_of.values() for name in names), names_of)


def replace_tags(actor: Actor, bookmark_id: int, names: Sequence[str]) -> None:
    """Give a bookmark these tags and no others."""
    db.session.execute(delete(BookmarkTag).where(BookmarkTag.bookmark_id == bookmark_id))
    attach_tags(actor, {bookmark_id: names})


def find_or_create_tags(actor: Actor, names: Iterable[str]) -> dict[str, int]:
    """The ids of these tags by key; the ones that are new are made. One statement."""
    return _find_or_make(actor, names, {})


def _find_or_make(actor: Actor, names: Iterable[str], names_of: Mapping[int, Sequence[str]]) -> dict[str, int]:
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(tag_key(name), name)
    if not by_key:
        return {}
    carried = [
        (bookmark_id, tag_key(name), position)
        for bookmark_id, names_in_order in names_of.items()
        for position, name in enumerate(names_in_order)
    ]
    most_of_all = current_settings().MAX_TAGS_PER_ORGANIZATION
    values = {
        "organization_id": actor.organization_id,
        "names": list(by_key.values()),
        "keys": list(by_key),
        "bookmark_ids": [bookmark_id for bookmark_id, _, _ in carried],
        "carried": [key for _, key, _ in carried],
        "positions": [position for _, _, position in carried],
        "most": MAX_TAGS,
        "most_of_all": most_of_all,
    }
    rows = db.session.execute(FIND_OR_MAKE_AND_ATTACH, values).all()
    if rows[0].is_full:
        raise TooManyTags.in_organization(most_of_all, [row.name_key for row in rows if row.is_made])
    if rows[0].overfull:
        raise TooManyTags.on_bookmarks(rows[0].overfull)
    return {row.name_key: row.id for row in rows}
