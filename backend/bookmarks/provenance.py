"""Where the title and the description of a bookmark came from, and who may change them after that.

`title_from` and `description_from` of a bookmark are one of `Origin`. A capture sets what nobody gave and refreshes
what an earlier one found; what came with an import or from a person stays, also where the person has emptied it.
Everything else that a page says of itself (author, image, …) is always the page's: nobody can type it.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, or_, text

from backend.bookmarks.models import Bookmark
from backend.extensions import db

Origin = Literal["nobody", "page", "import", "person"]
# What a capture finds beside title and description.
PAGE_COLUMNS = (
    "site_name",
    "author",
    "published_at",
    "image_url",
    "language",
    "word_count",
    "captured_at",
)
TITLE_KEY_LENGTH = 200
DELETE_PAGE = text("""
    WITH vectors AS (DELETE FROM bookmark_embeddings WHERE bookmark_id = :id)
    DELETE FROM bookmark_contents WHERE bookmark_id = :id
""")

Values = dict[str, Any]


def title_key(title: str) -> str:
    """What lists are sorted by: the title without case, cut to what an index entry can hold."""
    return title.casefold()[:TITLE_KEY_LENGTH]


def origin_of(value: str, giver: Origin) -> Origin:
    """The origin of a field of a new bookmark. Empty fields of forms and files are no decision against a title."""
    return giver if value else "nobody"


def person_values(title: str | None, description: str | None) -> Values:
    """The columns of what a person has sent of a bookmark that is there; None is what they have not sent.

    A field that is sent as it is already stays whose it was: clients send back what they have read.
    """
    values: Values = {}
    if title is not None:
        values |= {"title": title, "title_key": title_key(title)}
        values["title_from"] = case((Bookmark.title != title, "person"), else_=Bookmark.title_from)
    if description is not None:
        values["description"] = description
        values["description_from"] = case(
            (Bookmark.description != description, "person"), else_=Bookmark.description_from
        )
    return values


def page_values(title: str, description: str) -> Values:
    """The columns that a capture sets: what no person and no import gave."""
    title_is_free, description_is_free = _is_free("title"), _is_free("description")
    return {
        "title": case((title_is_free, title), else_=Bookmark.title),
        "title_key": case((title_is_free, title_key(title)), else_=Bookmark.title_key),
        "title_from": case((title_is_free, "page"), else_=Bookmark.title_from),
        "description": case((description_is_free, description), else_=Bookmark.description),
        "description_from": case((description_is_free, "page"), else_=Bookmark.description_from),
    }


def values_for_new_page(title: str | None, description: str | None) -> Values:
    """The columns of a bookmark whose address now names another page: what a person has typed, before or now, and
    nothing that the old page said."""
    sent = person_values(title, description)
    values: Values = dict.fromkeys(PAGE_COLUMNS)
    for name, given in (("title", title), ("description", description)):
        column, origin = getattr(Bookmark, name), getattr(Bookmark, f"{name}_from")
        is_the_pages = origin == "page" if given is None else and_(origin == "page", column == given)
        values[name] = case((is_the_pages, ""), else_=sent.get(name, column))
        values[f"{name}_from"] = case((is_the_pages, "nobody"), else_=sent.get(f"{name}_from", origin))
        if name == "title":
            values["title_key"] = case((is_the_pages, ""), else_=sent.get("title_key", Bookmark.title_key))
    return values


def delete_page(bookmark_id: int) -> None:
    """Delete the stored page and what was made from it, in the transaction at hand: one statement. The search document
    is then out of date."""
    db.session.execute(DELETE_PAGE, {"id": bookmark_id})


def _is_free(name: str) -> ColumnElement[bool]:
    # A text of no known origin was written by a release that knew of none: it stays.
    column, origin = getattr(Bookmark, name), getattr(Bookmark, f"{name}_from")
    return or_(origin == "page", and_(origin == "nobody", column == ""))
