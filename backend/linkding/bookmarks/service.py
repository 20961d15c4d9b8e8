"""What linkding's clients do with bookmarks, by the services of bookmarks."""

from __future__ import annotations

from typing import Any

from backend.actor import Actor
from backend.bookmarks import service as bookmarks
from backend.bookmarks.schemas import BookmarkIn, BookmarkPatch, trimmed
from backend.linkding.bookmarks import queries
from backend.linkding.bookmarks.filters import Narrowing, listing_of
from backend.linkding.bookmarks.schemas import (
    BookmarkWindowQuery,
    LinkCheckOut,
    LinkdingBookmarkIn,
    LinkdingBookmarkOut,
    LinkdingBookmarkPatch,
    MetadataOut,
)
from backend.linkding.bundles.queries import narrowing_of
from backend.linkding.pages import ListPart, OffsetRange
from backend.linkding.tags.names import meant_names

SAME_NAMES = ("url", "title", "description", "notes", "is_archived")
# What saving a known link again does not change, as in linkding: clients send it of every link.
OF_NEW_LINKS = {"url", "is_archived"}


def list_bookmarks(actor: Actor, query: BookmarkWindowQuery, *, archived: bool) -> ListPart[LinkdingBookmarkOut]:
    """List the bookmarks in a window.

    Raises:
        Invalid: the search combines too many alternatives, or has too many filters.
    """
    window = OffsetRange.of(query)
    narrowing = narrowing_of(actor, query.bundle) if query.bundle else Narrowing()
    listing = listing_of(query, narrowing, archived=archived)
    return list_shared(query) if listing.asks_for_shared else queries.list_bookmarks(actor, listing, window)


def list_shared(query: BookmarkWindowQuery) -> ListPart[LinkdingBookmarkOut]:
    """List the bookmarks that are shared with people outside the organization: none."""
    return ListPart([], 0, OffsetRange.of(query))


def add_bookmark(actor: Actor, data: LinkdingBookmarkIn, *, captures: bool) -> LinkdingBookmarkOut:
    """Save a link; of one that is saved already, change what is given, and nothing else.

    Raises:
        Invalid: too many tags.
    """
    values = _values(actor, data)
    # A bookmark that does not say so is read in linkding.
    item = BookmarkIn.model_construct(**{"is_read": True, **values}, capture=captures)
    saved, is_new = bookmarks.save_bookmark(actor, item, "keep")
    if not is_new and (changes := {name: value for name, value in values.items() if name not in OF_NEW_LINKS}):
        bookmarks.update_bookmark(actor, saved.id, BookmarkPatch.model_construct(set(changes), **changes))
    return queries.get_bookmark(actor, saved.id)


def update_bookmark(actor: Actor, bookmark_id: int, patch: LinkdingBookmarkPatch) -> LinkdingBookmarkOut:
    """Change what is given.

    Raises:
        NotFound: there is no such bookmark.
        Conflict: another bookmark has the new URL.
        Invalid: too many tags.
    """
    values = _values(actor, patch)
    bookmarks.update_bookmark(actor, bookmark_id, BookmarkPatch.model_construct(set(values), **values))
    return queries.get_bookmark(actor, bookmark_id)


def set_archived(actor: Actor, bookmark_id: int, *, archived: bool) -> None:
    """Archive a bookmark, or take it back.

    Raises:
        NotFound: there is no such bookmark.
    """
    patch = BookmarkPatch.model_construct({"is_archived"}, is_archived=archived)
    bookmarks.update_bookmark(actor, bookmark_id, patch)


def check_link(actor: Actor, url: str | None) -> LinkCheckOut:
    """Tell whether a link is saved, and what is known of its page. Nothing is fetched."""
    bookmark = queries.find_by_link(actor, trimmed(url)) if url else None
    if bookmark is None:
        return LinkCheckOut(bookmark=None, metadata=MetadataOut(url=url))
    metadata = MetadataOut(
        url=url,
        title=bookmark.website_title or bookmark.title or None,
        description=bookmark.website_description or bookmark.description or None,
        preview_image=bookmark.preview_image_url,
    )
    return LinkCheckOut(bookmark=bookmark, metadata=metadata)


def _values(actor: Actor, patch: LinkdingBookmarkPatch) -> dict[str, Any]:
    """Put what a client has sent into the names of bookmarks."""
    sent = patch.model_fields_set
    values: dict[str, Any] = {name: getattr(patch, name) for name in SAME_NAMES if name in sent}
    if "unread" in sent:
        values["is_read"] = not patch.unread
    if "tag_names" in sent:
        values["tags"] = meant_names(actor, patch.tag_names)
    return values
