"""Finding accounts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false

from backend.auth.models import User
from backend.auth.names import fold, is_username_key


def matches_login(login: str) -> ColumnElement[bool]:
    """The condition for the one account that a username or mail address names, in any case.

    The key decides which column is asked: one with an `@` is a mail address, any other a username. A key that no
    username may have finds nobody: an account that has such a name from earlier is found by its address only.
    """
    key = fold(login)
    if "@" in key:
        return matches_email(login)
    return User.username_key == key if is_username_key(key) else false()


def matches_email(email: str) -> ColumnElement[bool]:
    """The condition for the one account of a mail address, in any case; any other text finds nobody."""
    key = fold(email)
    return User.email_key == key if "@" in key else false()
