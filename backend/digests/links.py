"""Tokens of links that unsubscribe from digests, without a login (RFC 8058)."""

from __future__ import annotations

import re
from typing import Any, cast

from sqlalchemy import Row, select

from backend.auth.models import User
from backend.auth.signatures import is_signed, sign
from backend.errors import Invalid
from backend.extensions import db

# Part of the key: no other use of the secret makes such signatures.
LABEL = "fuze links to unsubscribe from digests v1"
TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([A-Za-z0-9_-]{43})")


def unsubscribe_token(user_id: int, email_key: str) -> str:
    """Return the token for a person at one mail address. It never expires, since old mails must work too."""
    return f"{user_id}.{sign(LABEL, _signed_text(user_id, email_key))}"


def find_subscriber(token: str) -> Row[Any]:
    """Return id and language of the person to whose present address a token was mailed.

    Raises:
        Invalid: naming `query.token`: it was mailed to nobody, or to a former address.
    """
    parts = TOKEN.fullmatch(token)
    if parts:
        person = db.session.execute(
            select(User.id, User.language, User.email_key).where(User.id == int(parts[1]), User.deleted_at.is_(None))
        ).one_or_none()
        if person and is_signed(LABEL, _signed_text(person.id, person.email_key), parts[2]):
            return cast("Row[Any]", person)
    raise Invalid.field("query.token", "This link was not mailed, or went to a former address.", "token_unknown")


def _signed_text(user_id: int, email_key: str) -> str:
    return f"{user_id}:{email_key}"
