"""Writers side by side: one order of locks, and another try for who loses a race."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DBAPIError

from backend.bookmarks.models import Bookmark
from backend.extensions import db

TRIES = 4
DEADLOCK_DETECTED, UNIQUE_VIOLATION = "40P01", "23505"

P = ParamSpec("P")
R = TypeVar("R")


def lock_bookmarks(*which: ColumnElement[bool]) -> list[int]:
    """The ids of these bookmarks, locked against other writers until the end of the transaction. One statement.

    Whoever writes to several rows locks in one order, so that no two requests dead-lock: bookmarks by id, then tags.
    """
    return list(
        db.session.scalars(
            select(Bookmark.id).where(*which).order_by(Bookmark.id).with_for_update(of=Bookmark, key_share=True)
        )
    )


def again_after_lost_race(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function that makes one whole transaction anew when a concurrent one got in its way.

    Saving waits for links that others are saving, in the order of the unique index, before it locks those that are
    there: with deletions in between the two can still dead-lock. And a check for a name or link that is taken can be
    overtaken; the next try sees what overtook it, and says so.
    """

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return function(*arguments, **named)
            except DBAPIError as error:
                if getattr(error.orig, "pgcode", None) not in (DEADLOCK_DETECTED, UNIQUE_VIOLATION):
                    raise
                db.session.rollback()
        return function(*arguments, **named)

    return run
