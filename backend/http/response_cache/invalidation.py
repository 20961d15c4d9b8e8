"""What makes kept answers worthless: a change of an organization's things, of a person, or of everything.

An answer about one bookmark depends on that bookmark (and on what changes many at once), one about tags on the
organization's tags, every other on the whole organization. Each has a *generation*, a random mark in Redis that is set
anew after the commit of every change. An answer is kept with the generations that were read before its first statement,
and is good while they stand. Who has seen a write end therefore never gets an answer from before it, through whatever
process.

The answer to a write is kept as the next answer about that bookmark, if the organization's generation has stood from
before the write's first statement until its own change is announced: then no other change has been announced in between
that the answer might not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backend.http.operations import CachedItem
from backend.http.response_cache.scripts import INVALIDATE
from backend.http.response_cache.store import CacheMiss, item_arguments
from backend.redis.client import redis_gate
from backend.redis.resilient import Command, Mark

# Longer than any answer is kept: a generation that nobody sets is forgotten only after all that leant on it.
GENERATION_SECONDS = 2 * 86400
EVERYTHING = "generation:all"
# Another value each time that it is sent: sent twice, it does away with answers in vain, and brings none back.
FRESH: Mark = (None, GENERATION_SECONDS)


def person_invalidation(user_id: int) -> dict[str, Mark]:
    """The mark that makes what was kept for a person worthless."""
    return {f"generation:person:{user_id}": FRESH}


def invalidate(organization_ids: Iterable[int], user_ids: Iterable[int] = ()) -> None:
    """Make all that was kept of these worthless, after the commit that changed them. One round trip."""
    marks: dict[str, Mark] = {}
    for one in organization_ids:
        marks |= _changed_lists(one) | _changed_tags(one) | {f"generation:bookmarks-of:{one}": FRESH}
    for user_id in user_ids:
        marks |= person_invalidation(user_id)
    redis_gate().announce(marks)


def invalidate_lists(organization_id: int) -> None:
    """Make worthless what was kept of an organization but its bookmarks and tags. One round trip."""
    redis_gate().announce(_changed_lists(organization_id))


def invalidate_bookmark(
    organization_id: int,
    bookmark_id: int,
    *,
    retagged: bool,
    answer: tuple[CacheMiss, Sequence[CachedItem]] | None = None,
) -> None:
    """Make worthless what was kept of a bookmark, and of its organization all but other bookmarks and, unless it was
    `retagged`, tags. One round trip.

    `answer` is what the write has answered, with the leave that was given before it began: it is kept for who wrote.
    """
    marks = _changed_lists(organization_id) | {f"generation:bookmark:{bookmark_id}": FRESH}
    if retagged:
        marks |= _changed_tags(organization_id)
    if answer is None or answer[0].generation is None:
        redis_gate().announce(marks)
        return
    wanted, parts = answer
    redis_gate().announce(marks, lambda values: _announcement(wanted, parts, values))


def invalidate_everything() -> None:
    """Make all that is kept worthless. One round trip."""
    redis_gate().announce({EVERYTHING: FRESH})


def _announcement(wanted: CacheMiss, parts: Sequence[CachedItem], values: Mapping[str, tuple[bytes, int]]) -> Command:
    head = (*wanted.key.partition.parts, wanted.generation, len(values))
    marks = [part for name, (value, seconds) in values.items() for part in (name, value, seconds)]
    return INVALIDATE.command([redis_gate().key("")], *head, *marks, *item_arguments(parts))


def _changed_lists(organization_id: int) -> dict[str, Mark]:
    return {f"generation:organization:{organization_id}": FRESH}


def _changed_tags(organization_id: int) -> dict[str, Mark]:
    return {f"generation:tags:{organization_id}": FRESH}
