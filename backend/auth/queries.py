"""Conditions that select accounts by login or mail address."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false

from backend.auth.models import User
from backend.auth.names import is_username_key
from backend.text.account_keys import account_key


def matches_login(login: str) -> ColumnElement[bool]:
    """Return the condition for the account of a username or mail address, in any case.

    A key with an `@` is a mail address, any other a username. A key that no username may have matches nobody: an
    account with such a name from before the rule logs in by its address only.
    """
    key = account_key(login)
    if "@" in key:
        return matches_email(login)
    return User.username_key == key if is_username_key(key) else false()


def matches_email(email: str) -> ColumnElement[bool]:
    """Return the condition for the account of a mail address, in any case; any other text matches nobody."""
    key = account_key(email)
    return User.email_key == key if "@" in key else false()
