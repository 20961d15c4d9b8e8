"""What a person searched for lately: in Redis, disposable, never the reason for an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import cast

import redis
from loguru import logger

from backend.actor import Actor
from backend.redis.client import redis_client
from backend.search.suggest.vocabulary import typed_words, words_in
from backend.text.folding import fold, normalise

KEPT = 50
KEPT_SECONDS = 90 * 24 * 3600
# A search-as-you-type sends every beginning of what is typed: within this time the longer one takes its place.
TYPING_SECONDS = 60
LONGEST = 200
REMEMBER = """
local searches = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #searches, 2 do
    local before, moment = searches[at], tonumber(searches[at + 1])
    if moment > tonumber(ARGV[2]) - tonumber(ARGV[3]) and string.sub(ARGV[1], 1, #before) == before then
        redis.call('ZREM', KEYS[1], before)
    end
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[5])
"""


def remember_search(actor: Actor, q: str) -> None:
    """Keep a search that found something, for suggestions to the same person in the same organization.

    One round trip; what is longer than 200 characters is not kept, nor is anything while Redis is away.
    """
    search = " ".join(q.split())
    if not search or len(search) > LONGEST:
        return
    try:
        redis_client().eval(REMEMBER, 1, _key(actor), search, f"{time.time():.6f}", TYPING_SECONDS, KEPT, KEPT_SECONDS)
    except redis.RedisError as error:
        logger.warning("a search is not remembered: {}", error)


def recent_searches(actor: Actor, prefix: str, limit: int) -> list[str]:
    """The newest searches that begin with the prefix or have all of its words; all of them where it is blank.

    One round trip; none while Redis is away.
    """
    try:
        kept = cast("list[bytes]", redis_client().zrevrange(_key(actor), 0, KEPT - 1))
    except redis.RedisError as error:
        logger.warning("no recent searches: {}", error)
        return []
    begins = _beginning(prefix)
    by_fold: dict[str, str] = {}
    for search in (one.decode("utf-8", "replace") for one in kept):
        if begins(search):
            by_fold.setdefault(search.casefold(), search)
    return list(by_fold.values())[:limit]


def forget_searches(user_id: int, organization_ids: Iterable[int]) -> None:
    """Delete what a person searched for in these organizations; while Redis is away it stays until it expires.

    One round trip; none without organizations.
    """
    keys = [_key_of(organization_id, user_id) for organization_id in organization_ids]
    try:
        if keys:
            redis_client().delete(*keys)
    except redis.RedisError as error:
        logger.warning("recent searches are not deleted: {}", error)


def _beginning(prefix: str) -> Callable[[str], bool]:
    start, wanted = _folded(prefix), typed_words(prefix)

    def begins(search: str) -> bool:
        if _folded(search).startswith(start):
            return True
        words = words_in(search) if wanted else []
        return bool(wanted) and all(
            any(word.startswith(one) if is_prefix else word == one for word in words) for one, is_prefix in wanted
        )

    return begins


def _folded(text: str) -> str:
    return " ".join(fold(normalise(word)) for word in text.split())


def _key(actor: Actor) -> str:
    return _key_of(actor.organization_id, actor.user_id)


def _key_of(organization_id: int, user_id: int) -> str:
    return f"fuze:recent:{organization_id}:{user_id}"
