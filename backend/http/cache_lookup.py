"""Cache lookups of requests: the key of a read, who shares its response, and the result in Redis's reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from backend.actor import Actor
from backend.extensions import current_settings
from backend.http.negotiation import IDENTITY, negotiate
from backend.http.operations import CacheNamespace, Operation
from backend.http.preconditions import known_etags
from backend.http.response_cache.store import (
    CachedResponse,
    CacheKey,
    CacheMiss,
    CachePartition,
    Subject,
    decode_reply,
    digest_of,
)
from backend.redis.client import resilient_redis

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Longer queries are not refreshed ahead after a write.
LONGEST_REFRESHED = 300


@dataclass(frozen=True)
class CacheLookup:
    """The cache lookup of a read.

    Attributes:
        namespace: Of its key.
        digest: Of its key: what is requested.
        etags: Those that the client has.
        subject: What the response shows.
        bookmark_id: The one bookmark that it is about.
        path: Path and query, if the response is to be refreshed ahead after a write; else empty.
        coding: The content coding that the client prefers.
    """

    namespace: CacheNamespace
    digest: str
    etags: list[str]
    subject: Subject = "organization"
    bookmark_id: int | None = None
    path: str = ""
    coding: str = IDENTITY


class WriteIntent:
    """In place of a lookup: a write follows, and the items of its response may be cached."""

    coding = IDENTITY


def lookup_of(
    operation: Operation, environ: WSGIEnvironment, headers: Headers, bookmark_id: int | None
) -> CacheLookup | None:
    """Return the lookup of a read; None where responses are not cached, or not to be trusted now."""
    if operation.cache is None or not is_cache_trusted():
        return None
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    requested = operation.cache_policy.key(bookmark_id, query) if operation.cache_policy.key else None
    subject: Subject = operation.cache_policy.subject or ("organization" if bookmark_id is None else "bookmarks-of")
    is_refreshed = subject in ("organization", "tags") and len(query) <= LONGEST_REFRESHED
    return CacheLookup(
        operation.cache,
        digest_of([path, sorted(query.split("&"))] if requested is None else requested),
        known_etags(headers),
        subject,
        bookmark_id,
        f"{path}?{query}" if is_refreshed else "",
        negotiate(environ.get("HTTP_ACCEPT_ENCODING")).coding or IDENTITY,
    )


def intent_of(operation: Operation) -> WriteIntent | None:
    """Return the intent of a write whose response holds items for the cache; else None."""
    return WriteIntent() if operation.cache_policy.items is not None and is_cache_trusted() else None


def is_cache_trusted() -> bool:
    """Return whether responses are cached, and Redis holds all invalidations."""
    return current_settings().ENABLE_CACHING and resilient_redis().is_trusted


def cached_for(
    actor: Actor, lookup: CacheLookup | WriteIntent | None, reply: Sequence[Any] | None
) -> CachedResponse | CacheMiss | None:
    """Return the result of a lookup in the reply of `admit.lua`; None if another process computes the response.

    Redis has looked up for whom it takes the caller to be. The result counts only if that is who acts: entries about a
    credential may be out of date, or not be trusted.
    """
    if lookup is None or not reply or not reply[2]:
        return None
    key = cache_key_of(actor, lookup)
    return decode_reply(key, reply[2], lookup.coding) if reply[3] == key.partition.name.encode() else None


def partition_of(actor: Actor) -> CachePartition:
    """Return the partition of the cache that an actor reads."""
    return CachePartition(actor.organization_id, actor.user_id, actor.reach)


def cache_key_of(actor: Actor, lookup: CacheLookup | WriteIntent) -> CacheKey:
    """Return the key of a lookup for an actor."""
    if isinstance(lookup, WriteIntent):
        return CacheKey("bookmark", partition_of(actor), "")
    return CacheKey(lookup.namespace, partition_of(actor), lookup.digest, lookup.subject, lookup.bookmark_id)
