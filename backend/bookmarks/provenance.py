"""Provenance of a bookmark's title and description, and which source may change them.

`title_from` and `description_from` are one of `Origin`. A capture sets empty fields and refreshes those of an earlier
capture; a value from an import or a person stays, also where the person has emptied it. All other metadata (author,
image, …) always comes from the page.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, or_, text

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.text.sort_keys import sort_key

Origin = Literal["nobody", "page", "import", "person"]
# Columns that a capture sets beside title and description.
PAGE_COLUMNS = (
    "site_name",
    "author",
    "published_at",
    "image_url",
    "language",
    "word_count",
    "captured_at",
)
DELETE_PAGE = text("""
    WITH vectors AS (DELETE FROM bookmark_embeddings WHERE bookmark_id = :id)
    DELETE FROM bookmark_contents WHERE bookmark_id = :id
""")

Values = dict[str, Any]


def origin_of(value: str, source: Origin) -> Origin:
    """Return the origin of a field of a new bookmark. An empty field of a form or file has none."""
    return source if value else "nobody"


def person_values(title: str | None, description: str | None) -> Values:
    """Return the columns for a title and a description that a person sent for an existing bookmark; None is not sent.

    A value that is sent unchanged keeps its origin: clients send back what they have read.
    """
    values: Values = {}
    if title is not None:
        values |= {"title": title, "title_key": sort_key(title)}
        values["title_from"] = case((Bookmark.title != title, "person"), else_=Bookmark.title_from)
    if description is not None:
        values["description"] = description
        values["description_from"] = case(
            (Bookmark.description != description, "person"), else_=Bookmark.description_from
        )
    return values


def page_values(title: str, description: str) -> Values:
    """Return the columns that a capture sets: those that no person and no import gave."""
    title_is_free, description_is_free = _is_free("title"), _is_free("description")
    return {
        "title": case((title_is_free, title), else_=Bookmark.title),
        "title_key": case((title_is_free, sort_key(title)), else_=Bookmark.title_key),
        "title_from": case((title_is_free, "page"), else_=Bookmark.title_from),
        "description": case((description_is_free, description), else_=Bookmark.description),
        "description_from": case((description_is_free, "page"), else_=Bookmark.description_from),
    }


def values_for_new_page(title: str | None, description: str | None) -> Values:
    """Return the columns of a bookmark whose URL now leads to another page: values from persons and imports, and none
    from the old page."""
    sent = person_values(title, description)
    values: Values = dict.fromkeys(PAGE_COLUMNS)
    for name, value in (("title", title), ("description", description)):
        column, origin = getattr(Bookmark, name), getattr(Bookmark, f"{name}_from")
        is_the_pages = origin == "page" if value is None else and_(origin == "page", column == value)
        values[name] = case((is_the_pages, ""), else_=sent.get(name, column))
        values[f"{name}_from"] = case((is_the_pages, "nobody"), else_=sent.get(f"{name}_from", origin))
        if name == "title":
            values["title_key"] = case((is_the_pages, ""), else_=sent.get("title_key", Bookmark.title_key))
    return values


def delete_page(bookmark_id: int) -> None:
    """Delete the stored page, its index and the vectors, in the current transaction. One statement. The search document
    is then out of date."""
    db.session.execute(DELETE_PAGE, {"id": bookmark_id})


def _is_free(name: str) -> ColumnElement[bool]:
    # Text of unknown origin was written by a release without provenance: it stays.
    column, origin = getattr(Bookmark, name), getattr(Bookmark, f"{name}_from")
    return or_(origin == "page", and_(origin == "nobody", column == ""))
