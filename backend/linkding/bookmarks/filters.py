"""What a query string of linkding's clients asks of the list of bookmarks. What makes no sense counts as not given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from backend.bookmarks.models import Bookmark
from backend.bookmarks.schemas import BookmarkFilter
from backend.http.pagination import Sort
from backend.linkding.bookmarks.expressions import ANYTHING, Expression, both, query_of
from backend.linkding.bookmarks.schemas import BookmarkWindowQuery
from backend.linkding.bookmarks.search import read_search

State = Literal["off", "yes", "no"]
SORTS = {
    "added_asc": Sort("created_at", Bookmark.created_at, Bookmark.id),
    "added_desc": Sort("-created_at", Bookmark.created_at, Bookmark.id),
    "title_asc": Sort("title", Bookmark.title_key, Bookmark.id),
    "title_desc": Sort("-title", Bookmark.title_key, Bookmark.id),
}
DEFAULT_SORT = SORTS["added_desc"]


@dataclass(frozen=True)
class Narrowing:
    """What a bundle leaves of the bookmarks: those that this holds for, in this state of unread and shared."""

    expression: Expression = ANYTHING
    unread: str | None = None
    shared: str | None = None


@dataclass(frozen=True)
class Listing:
    """A list of bookmarks: what is in it, and in which order."""

    filter: BookmarkFilter
    sort: Sort
    modified_since: datetime | None
    asks_for_shared: bool


def listing_of(query: BookmarkWindowQuery, narrowing: Narrowing, *, archived: bool) -> Listing:
    """Read from a query string which list is asked for, within what a bundle leaves.

    Raises:
        Invalid: the search combines too many alternatives.
    """
    search = str(query_of(both(read_search(query.q or ""), narrowing.expression)))
    unread = read_state(query.unread) or read_state(narrowing.unread)
    shared = read_state(query.shared) or read_state(narrowing.shared)
    # Not checked once more: written in full, a search may be longer than what a person may type.
    which = BookmarkFilter.model_construct(
        q=search or None,
        is_archived="true" if archived else "false",
        is_read=None if unread is None else unread == "no",
        created_after=read_moment(query.added_since),
    )
    sort = SORTS.get(query.sort or "", DEFAULT_SORT)
    return Listing(which, sort, read_moment(query.modified_since), shared == "yes")


def read_state(text: str | None) -> State | None:
    """Read whether a state is asked for, or its opposite; None for off and for what is no state."""
    return "yes" if text == "yes" else "no" if text == "no" else None


def read_moment(text: str | None) -> datetime | None:
    """Read a moment in ISO 8601, in UTC where it names no zone; None for what is none."""
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    if not 1000 <= found.year <= 9000:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
