"""What kept answers have to do with single bookmarks: by what each is asked for, and which answers hold its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from backend.bookmarks.schemas import trimmed
from backend.http.operations import CachedItem, CachePolicy
from backend.http.response_cache.store import digest_of
from backend.text.urls import url_fault, url_hash

# Normalising a link takes longer than all else that is done for a part; lists show the same ones again and again.
REMEMBERED_LINKS, LONGEST_REMEMBERED = 20_000, 300


def ask_for_bookmark(bookmark_id: int | None, query: str) -> object:
    """What GET /bookmarks/{id} asks."""
    return None if query else ["bookmark", bookmark_id]


def ask_for_link(_: int | None, query: str) -> object:
    """What GET /bookmarks/lookup asks: the same for all spellings of a link."""
    given = parse_qsl(query, keep_blank_values=True)
    if [name for name, _ in given] != ["url"]:
        return None
    url = trimmed(given[0][1])
    return None if url_fault(url) else ["link", url_hash(url).hex()]


def parts_of_bookmark(body: bytes) -> list[CachedItem]:
    """A bookmark is its own answer."""
    return [_part(orjson.loads(body), body)]


def parts_of_page(body: bytes) -> list[CachedItem]:
    """The items of a list are whole bookmarks, but for those with long texts."""
    items = orjson.loads(body)["items"]
    return [_part(item, orjson.dumps(item)) for item in items if item["deleted_at"] is None and not item["truncated"]]


BOOKMARK = CachePolicy(asks=ask_for_bookmark, parts=parts_of_bookmark)
BOOKMARK_BY_LINK = CachePolicy(shows="link", asks=ask_for_link, parts=parts_of_bookmark)
BOOKMARK_PAGE = CachePolicy(parts=parts_of_page)
TAGS = CachePolicy(shows="tags")


def _part(bookmark: dict[str, Any], body: bytes) -> CachedItem:
    url = bookmark["url"]
    link = (_link_digest if len(url) <= LONGEST_REMEMBERED else _link_digest.__wrapped__)(url)
    return CachedItem(bookmark["id"], digest_of(ask_for_bookmark(bookmark["id"], "")), link, body)


@lru_cache(maxsize=REMEMBERED_LINKS)
def _link_digest(url: str) -> str:
    return digest_of(["link", url_hash(url).hex()])
