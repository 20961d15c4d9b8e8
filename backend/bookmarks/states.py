"""States of bookmarks: what a list asks of their own columns, for its conditions and for its maintained total."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy.sql.elements import BindParameter

from backend.bookmarks.models import Bookmark
from backend.bookmarks.schemas import ActionFilter, BookmarkFilter

FLAGS = ("is_read", "is_favorite", "is_archived", "is_tagged")


class BookmarkStates(NamedTuple):
    """What a list asks of the states of its bookmarks; None for any. The names are columns of `BookmarkCount`."""

    is_deleted: bool = False
    is_read: bool | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None
    is_tagged: bool | None = None
    capture_status: str | None = None

    @classmethod
    def of(cls, filter_: BookmarkFilter | ActionFilter, *, shows_archived: bool = False) -> BookmarkStates:
        """Return the states of a filter. Without `is_archived` it shows what is not, but for the trash.

        `shows_archived` lifts that: the query itself says which.
        """
        asked, archived = filter_.is_archived, None
        if asked is not None:
            archived = None if asked == "any" else asked == "true"
        elif not filter_.deleted and not shows_archived:
            archived = False
        tagged = None if filter_.untagged is None else not filter_.untagged
        return cls(filter_.deleted, filter_.is_read, filter_.is_favorite, archived, tagged, filter_.capture_status)


def column_conditions(
    organization_id: int | BindParameter[int],
    states: BookmarkStates,
    created_after: datetime | BindParameter[datetime] | None,
    created_before: datetime | BindParameter[datetime] | None,
) -> list[ColumnElement[bool]]:
    """Build the conditions of a list on the bookmarks' own columns, from values or for parameters."""
    conditions: list[ColumnElement[bool]] = [
        Bookmark.organization_id == organization_id,
        Bookmark.deleted_at.is_not(None) if states.is_deleted else Bookmark.deleted_at.is_(None),
    ]
    for name in FLAGS:
        if (flag := getattr(states, name)) is not None:
            conditions.append(getattr(Bookmark, name).is_(flag))
    if states.capture_status is not None:
        conditions.append(Bookmark.capture_status == states.capture_status)
    if created_after is not None:
        conditions.append(Bookmark.created_at > created_after)
    if created_before is not None:
        conditions.append(Bookmark.created_at < created_before)
    return conditions
