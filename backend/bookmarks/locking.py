"""Writers side by side: one order of locks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from backend.bookmarks.models import Bookmark
from backend.extensions import db


def lock_bookmarks(*which: ColumnElement[bool]) -> list[int]:
    """The ids of these bookmarks, locked against other writers until the end of the transaction. One statement.

    Whoever writes to several rows locks in one order, so that no two requests dead-lock: bookmarks by id, then
    tags, then projects.
    """
    return list(
        db.session.scalars(
            select(Bookmark.id).where(*which).order_by(Bookmark.id).with_for_update(of=Bookmark, key_share=True)
        )
    )
