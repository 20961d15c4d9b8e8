"""Putting tags on bookmarks, many at a time, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, text

from backend.actor import Actor
from backend.bookmarks.models import BookmarkTag
from backend.bookmarks.names import tag_key
from backend.extensions import db

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
        ON CONFLICT DO NOTHING)
    SELECT id, name_key FROM known
""")


def attach_tags(actor: Actor, names_of: Mapping[int, Sequence[str]]) -> None:
    """Add tags to bookmarks, after those that they have; makes the tags that are new. One statement."""
    _find_or_make(actor, (name for names in names_of.values() for name in names), names_of)


def replace_tags(actor: Actor, bookmark_id: int, names: Sequence[str]) -> None:
    """Give a bookmark these tags and no others."""
    db.session.execute(delete(BookmarkTag).where(BookmarkTag.bookmark_id == bookmark_id))
    attach_tags(actor, {bookmark_id: names})


def tag_ids(actor: Actor, names: Iterable[str]) -> dict[str, int]:
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
    values = {
        "organization_id": actor.organization_id,
        "names": list(by_key.values()),
        "keys": list(by_key),
        "bookmark_ids": [bookmark_id for bookmark_id, _, _ in carried],
        "carried": [key for _, key, _ in carried],
        "positions": [position for _, _, position in carried],
    }
    return {row.name_key: row.id for row in db.session.execute(FIND_OR_MAKE_AND_ATTACH, values)}
