"""Writers side by side: one order of locks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import InstrumentedAttribute

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


def lock_bookmark(*which: ColumnElement[bool], columns: tuple[InstrumentedAttribute[Any], ...]) -> Row[Any] | None:
    """These columns of one bookmark, locked as `lock_bookmarks` does it; None if there is none."""
    statement = select(*columns).where(*which).with_for_update(of=Bookmark, key_share=True)
    return db.session.execute(statement).one_or_none()
