"""Mailed single-use tokens: to verify an address, to reset a password."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select, update

from backend.auth.models import MailToken, User
from backend.auth.tokens import token_hash
from backend.clock import utc_now
from backend.errors import Invalid
from backend.extensions import db
from backend.jobs.queue import Message
from backend.mail.service import add_empty_mail, add_mail

Purpose = Literal["verify", "reset"]
LIFETIMES: dict[Purpose, timedelta] = {"verify": timedelta(hours=24), "reset": timedelta(hours=1)}
MAILS_PER_HOUR = 3
TOKEN_BYTES = 32


def create_verification_mail(user: User) -> Message:
    """Create a mail to the person's present address with a link that verifies it, in the current transaction.

    Send the message after the commit. The user must be flushed.
    """
    return _add_token_mail(user, "verify")


def create_reset_mail(user: User | None) -> Message:
    """Create a mail with a link to reset the password, in the current transaction; send the message after the commit.

    Without an account, or past the limit, it runs as many statements and sends no mail.
    """
    if may_request(user.id if user else 0, "reset") and user:
        return _add_token_mail(user, "reset")
    db.session.execute(select(MailToken.id).where(MailToken.token_hash == token_hash(secrets.token_urlsafe())))
    return add_empty_mail("reset")


def may_request(user_id: int, purpose: Purpose) -> bool:
    """Tell whether the person got fewer than three such mails in the last hour. Lock the user's row before."""
    recent = select(func.count()).where(
        MailToken.user_id == user_id,
        MailToken.purpose == purpose,
        MailToken.created_at > func.now() - timedelta(hours=1),
    )
    return db.session.scalars(recent).one() < MAILS_PER_HOUR


def lock_token_holder(token: str, purpose: Purpose) -> User:
    """Lock the person to whom a valid token was mailed, until the commit.

    Raises:
        Invalid: naming `body.token`: `token_unknown`, `token_used` or `token_expired`.
    """
    matches = MailToken.token_hash == token_hash(token), MailToken.purpose == purpose
    # The person is locked before the token is read: a second request then sees the token as used.
    holder = select(MailToken.user_id).where(*matches).scalar_subquery()
    user = db.session.scalar(select(User).where(User.id == holder).with_for_update(key_share=True))
    row = db.session.scalar(select(MailToken).where(*matches))
    if user is None or row is None or row.email != user.email_key:
        raise Invalid.field("body.token", "This link is not one of ours, or no longer for you.", "token_unknown")
    if row.used_at is not None:
        raise Invalid.field("body.token", "This link was used already. Ask for a new one.", "token_used")
    if row.expires_at <= utc_now():
        raise Invalid.field("body.token", "This link is too old. Ask for a new one.", "token_expired")
    return user


def expire_tokens(user_id: int, purpose: Purpose) -> None:
    """Invalidate all tokens of a person for a purpose, in the current transaction."""
    db.session.execute(
        update(MailToken)
        .where(MailToken.user_id == user_id, MailToken.purpose == purpose, MailToken.used_at.is_(None))
        .values(used_at=func.now())
    )


def _add_token_mail(user: User, purpose: Purpose) -> Message:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    db.session.add(
        MailToken(
            user_id=user.id,
            purpose=purpose,
            token_hash=token_hash(token),
            email=user.email_key,
            expires_at=utc_now() + LIFETIMES[purpose],
        )
    )
    if purpose == "verify":
        return add_mail(user.email, "verify", {"token": token})
    # An unconfirmed mailbox may be somebody else's: the username could be a message to them.
    is_confirmed = user.email_verified_at is not None
    values = {"username": user.username if is_confirmed else "", "token": token}
    return add_mail(user.email, "reset", values, solicited=is_confirmed)
