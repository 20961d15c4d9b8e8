"""Last step of a search: its count, and the history of recent searches, in Redis. Faults are only logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import redis
from loguru import logger

from backend.activity.search_counts import COUNT_SEARCH, count_arguments, count_keys
from backend.actor import Actor
from backend.named_blocks import read_blocks
from backend.redis.client import redis_client, resilient_redis
from backend.redis.resilient import Script
from backend.search.suggest.vocabulary import typed_words, words_in
from backend.text.folding import fold, normalise

MOST_SEARCHES = 50
EXPIRY_SECONDS = 90 * 24 * 3600
# Search as you type sends each prefix; within this time a longer search replaces its prefixes.
TYPING_SECONDS = 60
LONGEST_SEARCH = 200
FOLDED_SEARCHES = 2_048
RECORD = Script("\n".join([COUNT_SEARCH, read_blocks(Path(__file__).with_suffix(".lua"))["record"]]))


def store_search(actor: Actor, q: str, *, found: bool = True) -> None:
    """Count a search, and store it for suggestions to the same person in the same organization if it `found` something.

    One round trip. Searches of more than 200 characters are only counted; while Redis is away, none is.
    """
    search = " ".join(q.split())
    stored = search if found and len(search) <= LONGEST_SEARCH else ""
    keys = (_key(actor), *count_keys(actor.organization_id))
    moments = (f"{time.time():.6f}", TYPING_SECONDS, MOST_SEARCHES, EXPIRY_SECONDS)
    command = RECORD.command(keys, stored, *moments, *count_arguments(actor.organization_id))
    resilient_redis().execute(lambda: [command])


def recent_searches(actor: Actor, prefix: str, limit: int) -> list[str]:
    """Return the newest searches that begin with the prefix or hold all of its words; all of them for a blank prefix.

    One round trip; none while Redis is away.
    """
    newest = ("ZREVRANGE", _key(actor), 0, MOST_SEARCHES - 1)
    replies: list[list[bytes]] | None = resilient_redis().execute(lambda: [newest])
    if replies is None:
        return []
    begins = _beginning(prefix)
    by_fold: dict[str, str] = {}
    for search in (value.decode("utf-8", "replace") for value in replies[0]):
        if begins(search):
            by_fold.setdefault(search.casefold(), search)
    return list(by_fold.values())[:limit]


def delete_searches(user_id: int, organization_ids: Iterable[int]) -> None:
    """Delete a person's searches in these organizations; while Redis is away they stay until they expire.

    One round trip; none without organizations.
    """
    keys = [_key_of(organization_id, user_id) for organization_id in organization_ids]
    try:
        if keys:
            redis_client().delete(*keys)
    except redis.RedisError as error:
        logger.warning("recent searches are not deleted: {}", error)


def _beginning(prefix: str) -> Callable[[str], bool]:
    start, typed = _folded(prefix), typed_words(prefix)

    def begins(search: str) -> bool:
        if _folded(search).startswith(start):
            return True
        words = _words(search) if typed else ()
        return bool(typed) and all(
            any(word.startswith(prefix_word) if is_prefix else word == prefix_word for word in words)
            for prefix_word, is_prefix in typed
        )

    return begins


# A person who types asks for the same fifty searches with each letter.
@lru_cache(maxsize=FOLDED_SEARCHES)
def _words(search: str) -> tuple[str, ...]:
    return tuple(words_in(search))


@lru_cache(maxsize=FOLDED_SEARCHES)
def _folded(text: str) -> str:
    return " ".join(fold(normalise(word)) for word in text.split())


def _key(actor: Actor) -> str:
    return _key_of(actor.organization_id, actor.user_id)


def _key_of(organization_id: int, user_id: int) -> str:
    return f"fuze:recent:{organization_id}:{user_id}"
