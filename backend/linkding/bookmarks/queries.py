"""Reading bookmarks in linkding's shape: one statement for a list, one for a single one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, func, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.actor import Actor
from backend.bookmarks.counts import maintained_total
from backend.bookmarks.list_filters import filter_conditions
from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import TAG_NAMES, not_trashed
from backend.bookmarks.states import BookmarkStates
from backend.errors import NotFound
from backend.extensions import db
from backend.http.truncation import LIST_BYTES
from backend.linkding.bookmarks.filters import Listing
from backend.linkding.bookmarks.schemas import AssetOut, LinkdingBookmarkOut
from backend.linkding.pages import ListPart, OffsetRange, fitting
from backend.linkding.tags.names import dashed
from backend.text.urls import url_error, url_hash

# What every bookmark takes beside its texts, at least.
FIXED_BYTES = 400
TOTAL = "total_of_list"
SHOWN: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...] = (
    Bookmark.id,
    Bookmark.url,
    Bookmark.title,
    Bookmark.title_from,
    Bookmark.description,
    Bookmark.description_from,
    Bookmark.notes,
    Bookmark.image_url,
    Bookmark.is_archived,
    Bookmark.is_read,
    Bookmark.created_at,
    Bookmark.updated_at,
    TAG_NAMES,
)
SHAPE: Select[Any] = select(*SHOWN)


def list_bookmarks(actor: Actor, listing: Listing, window: OffsetRange) -> ListPart[LinkdingBookmarkOut]:
    """Read the bookmarks in a window of a list, as many as fit into a page, and count the list.

    One statement, one more for words in the search, and one past the end of the list.
    """
    which = list(filter_conditions(actor, listing.filter))
    states = BookmarkStates.of(listing.filter)
    total = maintained_total(actor, listing.filter, states) if listing.modified_since is None else None
    if listing.modified_since is not None:
        which.append(Bookmark.updated_at > listing.modified_since)
    if total is None:
        total = select(func.count(Bookmark.id)).where(*which)
    rows = db.session.execute(_readable(which, listing, window, total)).all()
    if not rows:
        return ListPart([], db.session.scalar(total) or 0 if window.offset else 0, window)
    return ListPart(fitting(map(_bookmark, rows)), rows[0]._mapping[TOTAL], window)


def get_bookmark(actor: Actor, bookmark_id: int) -> LinkdingBookmarkOut:
    """Read the bookmark, if it is the actor's organization's and not in the trash.

    Raises:
        NotFound: it is not, or never was.
    """
    found = _find(actor, Bookmark.id == bookmark_id)
    if found is None:
        raise NotFound
    return found


def find_by_link(actor: Actor, url: str) -> LinkdingBookmarkOut | None:
    """Find the bookmark of a link, compared in normalised form; None if there is none, or the link is none."""
    return None if url_error(url) else _find(actor, Bookmark.url_hash == url_hash(url))


def list_assets(actor: Actor, bookmark_id: int, window: OffsetRange) -> ListPart[AssetOut]:
    """List the files of a bookmark: none.

    Raises:
        NotFound: there is no such bookmark.
    """
    if db.session.scalar(select(Bookmark.id).where(not_trashed(actor), Bookmark.id == bookmark_id)) is None:
        raise NotFound
    return ListPart([], 0, window)


def _find(actor: Actor, which: ColumnElement[bool]) -> LinkdingBookmarkOut | None:
    row = db.session.execute(SHAPE.where(not_trashed(actor), which)).one_or_none()
    return _bookmark(row) if row else None


def _readable(
    which: Sequence[ColumnElement[bool]], listing: Listing, window: OffsetRange, total: Select[int]
) -> Select[Any]:
    """Select the rows of a window, up to the first that a page has no room for."""
    key = listing.sort.column.key
    page = _page(which, listing, window)
    shape = SHAPE if key in SHAPE.selected_columns else SHAPE.add_columns(listing.sort.column)
    # Kept apart by its offset, or PostgreSQL would look for the tags of a row each time that they are named below.
    whole = shape.join(page, page.c.id == Bookmark.id).offset(0).subquery("whole")
    order = listing.sort.order(whole.c[key], whole.c.id)
    before = (func.sum(_size(whole)).over(order_by=order) - _size(whole)).label("before")
    measured = select(whole, before).subquery("measured")
    return (
        select(measured, total.correlate(None).scalar_subquery().label(TOTAL))
        .where(measured.c.before < LIST_BYTES)
        .order_by(*listing.sort.order(measured.c[key], measured.c.id))
    )


def _page(which: Sequence[ColumnElement[bool]], listing: Listing, window: OffsetRange) -> Subquery:
    place: tuple[InstrumentedAttribute[Any], ...] = (listing.sort.column, listing.sort.id_column)
    ids = select(Bookmark.id).where(*which).order_by(*listing.sort.order(*place))
    return ids.limit(window.rows).offset(window.offset).subquery("page")


def _size(whole: Subquery) -> ColumnElement[int]:
    """Estimate the bytes of a bookmark in a page; PostgreSQL knows them of a long text without reading it."""
    texts = (whole.c.title, whole.c.description, whole.c.notes, func.array_to_string(whole.c.tags, ""))
    size: ColumnElement[int] = 2 * func.octet_length(whole.c.url) + FIXED_BYTES
    for text in texts:
        size = size + func.octet_length(text)
    return size


def _bookmark(row: Row[Any]) -> LinkdingBookmarkOut:
    return LinkdingBookmarkOut(
        id=row.id,
        url=row.url,
        title=row.title,
        description=row.description,
        notes=row.notes,
        web_archive_snapshot_url=f"https://web.archive.org/web/{row.created_at:%Y%m%d%H%M%S}/{row.url}",
        preview_image_url=row.image_url,
        is_archived=row.is_archived,
        unread=not row.is_read,
        tag_names=[dashed(name) for name in row.tags],
        date_added=row.created_at,
        date_modified=row.updated_at,
        website_title=row.title if row.title_from == "page" else None,
        website_description=row.description if row.description_from == "page" else None,
    )
