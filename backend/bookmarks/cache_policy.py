"""Cache policies of single bookmarks: cache keys of requests, and the cached items that a response contains."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from backend.bookmarks.schemas import trimmed
from backend.http.operations import Kept, Part
from backend.http.response_cache.store import digest_of
from backend.text.urls import url_error, url_hash

# Normalising a URL is the dearest step of a cached item, and lists repeat the same URLs.
MAX_CACHED_DIGESTS, MAX_CACHED_LENGTH = 20_000, 300


def bookmark_cache_key(bookmark_id: int | None, query: str) -> object:
    """Return the cache key of GET /bookmarks/{id}; None with a query string."""
    return None if query else ["bookmark", bookmark_id]


def link_cache_key(_: int | None, query: str) -> object:
    """Return the cache key of GET /bookmarks/lookup, the same for all spellings of a link; None where it is not
    cached."""
    parameters = parse_qsl(query, keep_blank_values=True)
    if [name for name, _ in parameters] != ["url"]:
        return None
    url = trimmed(parameters[0][1])
    return None if url_error(url) else ["link", url_hash(url).hex()]


def cached_items_of_bookmark(body: bytes) -> list[Part]:
    """Return a bookmark's response as the cached item of that bookmark."""
    return [_cached_item(orjson.loads(body), body)]


def cached_items_of_page(body: bytes) -> list[Part]:
    """Return the cached items of a list: its bookmarks, except those with shortened texts."""
    items = orjson.loads(body)["items"]
    return [
        _cached_item(item, orjson.dumps(item)) for item in items if item["deleted_at"] is None and not item["truncated"]
    ]


BOOKMARK = Kept(asks=bookmark_cache_key, parts=cached_items_of_bookmark)
BOOKMARK_BY_LINK = Kept(shows="link", asks=link_cache_key, parts=cached_items_of_bookmark)
BOOKMARK_PAGE = Kept(parts=cached_items_of_page)
TAGS = Kept(shows="tags")


def _cached_item(bookmark: dict[str, Any], body: bytes) -> Part:
    url = bookmark["url"]
    link = (_link_digest if len(url) <= MAX_CACHED_LENGTH else _link_digest.__wrapped__)(url)
    return Part(bookmark["id"], digest_of(bookmark_cache_key(bookmark["id"], "")), link, body)


@lru_cache(maxsize=MAX_CACHED_DIGESTS)
def _link_digest(url: str) -> str:
    return digest_of(["link", url_hash(url).hex()])
