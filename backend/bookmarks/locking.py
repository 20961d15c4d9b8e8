"""Row locks on bookmarks, in one order for all writers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.bookmarks.models import Bookmark
from backend.extensions import db


def lock_bookmarks(*conditions: ColumnElement[bool]) -> list[int]:
    """Lock these bookmarks against other writers until the end of the transaction and return their ids. One statement.

    Writers of several rows lock in one order, so that no two transactions dead-lock: bookmarks by id, then tags, then
    projects.
    """
    return list(
        db.session.scalars(
            select(Bookmark.id).where(*conditions).order_by(Bookmark.id).with_for_update(of=Bookmark, key_share=True)
        )
    )


def lock_bookmark(*conditions: ColumnElement[bool], columns: tuple[InstrumentedAttribute[Any], ...]) -> Row[Any] | None:
    """Lock one bookmark as `lock_bookmarks` does and return these columns of it; None if there is none."""
    statement = select(*columns).where(*conditions).with_for_update(of=Bookmark, key_share=True)
    return db.session.execute(statement).one_or_none()
