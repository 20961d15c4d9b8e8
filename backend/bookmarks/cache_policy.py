"""Cache policies of bookmarks: the key of a bookmark's response, and the bookmarks in other responses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from backend.bookmarks.schemas import trimmed
from backend.http.operations import CachedItem, CachePolicy
from backend.http.response_cache.store import digest_of
from backend.text.urls import url_error, url_hash

# Normalising a link takes longer than all else for an item, and lists show the same links repeatedly.
MAX_CACHED_DIGESTS, MAX_CACHED_LENGTH = 20_000, 300


def key_of_bookmark(bookmark_id: int | None, query: str) -> object:
    """Return the key of GET /bookmarks/{id}."""
    return None if query else ["bookmark", bookmark_id]


def key_of_link(_: int | None, query: str) -> object:
    """Return the key of GET /bookmarks/lookup: the same for all spellings of a link."""
    given = parse_qsl(query, keep_blank_values=True)
    if [name for name, _ in given] != ["url"]:
        return None
    url = trimmed(given[0][1])
    return None if url_error(url) else ["link", url_hash(url).hex()]


def items_of_bookmark(body: bytes) -> list[CachedItem]:
    """Return the item of a bookmark's own response."""
    return [_item(orjson.loads(body), body)]


def items_of_page(body: bytes) -> list[CachedItem]:
    """Return the items of a page that are whole bookmarks: texts of others are cut."""
    items = orjson.loads(body)["items"]
    return [_item(item, orjson.dumps(item)) for item in items if item["deleted_at"] is None and not item["truncated"]]


BOOKMARK = CachePolicy(key=key_of_bookmark, items=items_of_bookmark)
BOOKMARK_BY_LINK = CachePolicy(subject="link", key=key_of_link, items=items_of_bookmark)
BOOKMARK_PAGE = CachePolicy(items=items_of_page)
TAGS = CachePolicy(subject="tags")


def _item(bookmark: dict[str, Any], body: bytes) -> CachedItem:
    url = bookmark["url"]
    link = (_link_digest if len(url) <= MAX_CACHED_LENGTH else _link_digest.__wrapped__)(url)
    return CachedItem(bookmark["id"], _id_digest(bookmark["id"]), link, body)


@lru_cache(maxsize=MAX_CACHED_DIGESTS)
def _id_digest(bookmark_id: int) -> str:
    return digest_of(key_of_bookmark(bookmark_id, ""))


@lru_cache(maxsize=MAX_CACHED_DIGESTS)
def _link_digest(url: str) -> str:
    return digest_of(["link", url_hash(url).hex()])
