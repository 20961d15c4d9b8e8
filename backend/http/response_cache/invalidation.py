"""Invalidation of cached responses: by a change of an organization, of a person, or of everything.

A response about one bookmark depends on that bookmark (and on what changes many at once), one about tags on the
organization's tags, every other on the whole organization. Each has a *generation*, a random value in Redis that
changes after the commit of every write. A response is stored with the generations that were read before its first
statement, and is valid while they are unchanged: after a write has ended, nobody gets a response from before it.

The response to a write is stored as the next response about that bookmark, if the organization's generation is
unchanged from before the write's first statement until its own invalidation: no other change came in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backend.http.operations import CachedItem
from backend.http.response_cache.scripts import INVALIDATE
from backend.http.response_cache.store import CacheMiss, item_arguments
from backend.redis.client import resilient_redis
from backend.redis.resilient import Command, Invalidation

# Longer than any response is cached: a generation expires only after all that depend on it.
GENERATION_SECONDS = 2 * 86400
EVERYTHING = "generation:all"
# A new value each time that it is sent: sent twice, it invalidates in vain, and makes nothing valid again.
FRESH: Invalidation = (None, GENERATION_SECONDS)


def person_invalidation(user_id: int) -> dict[str, Invalidation]:
    """Return the mark that invalidates what is cached for a person."""
    return {f"generation:person:{user_id}": FRESH}


def invalidate(organization_ids: Iterable[int], user_ids: Iterable[int] = ()) -> None:
    """Invalidate everything about these, after the commit that changed them. One round trip."""
    marks: dict[str, Invalidation] = {}
    for id_ in organization_ids:
        marks |= _changed_lists(id_) | _changed_tags(id_) | {f"generation:bookmarks-of:{id_}": FRESH}
    for user_id in user_ids:
        marks |= person_invalidation(user_id)
    resilient_redis().invalidate(marks)


def invalidate_lists(organization_id: int) -> None:
    """Invalidate everything of an organization but its bookmarks and tags. One round trip."""
    resilient_redis().invalidate(_changed_lists(organization_id))


def invalidate_bookmark(
    organization_id: int,
    bookmark_id: int,
    *,
    retagged: bool,
    stored: tuple[CacheMiss, Sequence[CachedItem]] | None = None,
) -> None:
    """Invalidate a bookmark, and everything of its organization but other bookmarks and, unless `retagged`, tags.

    `stored` are the items of the write's response, with the miss from before it: they are cached for the writer. One
    round trip.
    """
    marks = _changed_lists(organization_id) | {f"generation:bookmark:{bookmark_id}": FRESH}
    if retagged:
        marks |= _changed_tags(organization_id)
    if stored is None or stored[0].generation is None:
        resilient_redis().invalidate(marks)
        return
    miss, items = stored
    resilient_redis().invalidate(marks, lambda values: _invalidation(miss, items, values))


def invalidate_everything() -> None:
    """Invalidate everything. One round trip."""
    resilient_redis().invalidate({EVERYTHING: FRESH})


def _invalidation(miss: CacheMiss, items: Sequence[CachedItem], values: Mapping[str, tuple[bytes, int]]) -> Command:
    head = (*miss.key.partition, miss.generation, len(values))
    marks = [part for name, (value, seconds) in values.items() for part in (name, value, seconds)]
    return INVALIDATE.command([resilient_redis().key("")], *head, *marks, *item_arguments(items))


def _changed_lists(organization_id: int) -> dict[str, Invalidation]:
    return {f"generation:organization:{organization_id}": FRESH}


def _changed_tags(organization_id: int) -> dict[str, Invalidation]:
    return {f"generation:tags:{organization_id}": FRESH}
