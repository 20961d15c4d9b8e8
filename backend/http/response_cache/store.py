"""Response cache: serialised bodies by request key, in several content codings, valid for one generation."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson

from backend.http.negotiation import IDENTITY
from backend.http.operations import CachedItem, CacheNamespace
from backend.http.response_cache.scripts import READ, STORE, STORE_ENCODED
from backend.redis.client import resilient_redis
from backend.redis.resilient import Command
from config import CACHE_SECONDS

# The lease of a request that computes a response; after that another one may.
MAKING_MS = 3_000
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.003, 0.05, 2.0
COUNTS = "cache:counts"
# A body that is longer is not cached: a few would push out what many ask for.
LONGEST_CACHED = 256 * 1024
# Responses that are computed at the same time expire at different times.
JITTER = 0.1
ETAG_LENGTH = 32

# What a response shows, which names its generation: an organization's lists and whatever else has no generation of its
# own, its tags, one bookmark, or the bookmark that a link leads to.
Subject = Literal["organization", "tags", "bookmarks-of", "link"]


@dataclass(frozen=True)
class CachedResponse:
    """A cached body in one content coding.

    Attributes:
        etag: The strong ETag of the identity body, without quotes.
        body: None where the client has it already.
        coding: The content coding of the body.
        identity_key: The key in Redis, where the coding that was asked for is not stored yet.
    """

    etag: str
    body: bytes | None
    coding: str = IDENTITY
    identity_key: str = ""


class CachePartition(NamedTuple):
    """Whom a cached response is for: a person, in an organization, as far as a credential reaches (`Actor.reach`).

    Two credentials of one person may see different things: they share responses only where they reach the same.
    """

    organization_id: int
    user_id: int
    reach: str

    @property
    def name(self) -> str:
        """The name in Redis's keys, which Lua builds from the same parts."""
        return f"{self.organization_id}:{self.user_id}:{self.reach}"


@dataclass(frozen=True)
class CacheKey:
    """The key of a response: request digest and partition, with what it shows and the one bookmark it is about."""

    namespace: CacheNamespace
    partition: CachePartition
    digest: str
    subject: Subject = "organization"
    bookmark_id: int | None = None

    @property
    def name(self) -> str:
        return f"response:{self.namespace}:{self.partition.name}:{self.digest}"


@dataclass(frozen=True)
class CacheMiss:
    """Nothing is cached: the caller computes the response, and stores it for this generation; None: does not store."""

    key: CacheKey
    generation: bytes | None


def digest_of(question: object) -> str:
    """Return the digest of a value that JSON can hold, whatever the order of its keys."""
    return sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()


def etag_of(body: bytes) -> str:
    """Return the strong ETag of a body, without quotes."""
    return sha256(body).hexdigest()[:ETAG_LENGTH]


def look_up(
    key: CacheKey, etags: list[str], coding: str = IDENTITY, *, counted: bool = True
) -> CachedResponse | CacheMiss:
    """Return the cached response, or the lease to compute it. One round trip; more while another process computes it.

    `etags` are those that the client has, without quotes. A lookup that is not `counted` as a request does not wait.
    """
    wait, end = FIRST_WAIT, time.monotonic() + PATIENCE
    while True:
        if not resilient_redis().is_trusted:
            return CacheMiss(key, None)
        replies = resilient_redis().execute(lambda: [_read_command(key, etags, coding, counted)])
        if replies is None:
            return CacheMiss(key, None)
        result = decode_reply(key, replies[0], coding)
        if result is not None:
            return result
        if time.monotonic() > end or not counted:
            return CacheMiss(key, None)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


def decode_reply(key: CacheKey, reply: Any, coding: str = IDENTITY) -> CachedResponse | CacheMiss | None:
    """Decode the reply of `lookup.lua` about a coding; None while another process computes the response."""
    kind, *rest = reply
    if kind == b"!":
        return CacheMiss(key, rest[0])
    if kind not in (b"+", b"="):
        return None
    etag = rest[0][:ETAG_LENGTH].decode()
    if kind == b"=":
        return CachedResponse(etag, None)
    if len(rest) > 1:
        return CachedResponse(etag, rest[0][ETAG_LENGTH:], IDENTITY, rest[1].decode())
    return CachedResponse(etag, rest[0][ETAG_LENGTH:], coding)


def store_response(
    miss: CacheMiss, response: CachedResponse, items: Sequence[CachedItem] = (), encoded: CachedResponse | None = None
) -> None:
    """Store an identity body that was computed after the miss, its encoded variant and its items; end the lease.

    One round trip.
    """
    key, generation, body = miss.key, miss.generation, response.body
    if generation is None or body is None:
        return
    # A link has no response of its own, only that of the bookmark which it leads to.
    is_cached = key.subject != "link" and len(body) <= LONGEST_CACHED
    variant: tuple[str, bytes] = ("", b"")
    if is_cached and encoded is not None and encoded.coding != IDENTITY:
        variant = (encoded.coding, _value(encoded))
    gate = resilient_redis()
    gate.execute(
        lambda: [
            STORE.command(
                [gate.key("")],
                *key.partition,
                generation,
                key.name,
                _lifetime(key.namespace),
                _value(response) if is_cached else b"",
                *variant,
                *item_arguments(items),
            )
        ]
    )


def store_encoded_command(cached: CachedResponse, encoded: CachedResponse) -> Command:
    """Return the command that adds an encoded variant to a cached response."""
    return STORE_ENCODED.command([cached.identity_key], encoded.etag, encoded.coding, encoded.body)


def item_arguments(items: Iterable[CachedItem]) -> Iterator[Any]:
    """Yield the arguments that `items.lua` takes."""
    for item in items:
        if len(item.body) > LONGEST_CACHED:
            continue
        yield from (item.bookmark_id, item.digest, item.link_digest, _lifetime("bookmark"))
        yield etag_of(item.body).encode() + item.body


def abandon(miss: CacheMiss) -> None:
    """End the lease without a response, so that another request computes it. One round trip."""
    if miss.generation is not None:
        gate = resilient_redis()
        gate.execute(lambda: [("DEL", gate.key(f"making:{miss.key.name}"))])


def _value(response: CachedResponse) -> bytes:
    return response.etag.encode() + (response.body or b"")


def _read_command(key: CacheKey, etags: list[str], coding: str, counted: bool) -> Command:
    arguments = (key.namespace, *key.partition, key.subject, key.bookmark_id or "", key.digest)
    return READ.command([resilient_redis().key("")], *arguments, MAKING_MS, int(counted), coding, *etags)


def _lifetime(namespace: CacheNamespace) -> int:
    seconds = CACHE_SECONDS[namespace]
    return max(1, round(seconds * random.uniform(1 - JITTER, 1 + JITTER)))  # nosec B311
