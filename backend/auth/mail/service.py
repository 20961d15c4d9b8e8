"""Password reset and verification of mail addresses, by mailed tokens."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.mail.tokens import (
    create_reset_mail,
    create_verification_mail,
    expire_tokens,
    lock_token_holder,
    may_request,
)
from backend.auth.models import Session, User
from backend.auth.notices import notify_new_password
from backend.auth.passwords import hash_password, password_fault
from backend.auth.queries import matches_email
from backend.auth.remaining_access import end_unproven_access
from backend.auth.session_cache import invalidate_sessions, invalidate_tokens, invalidate_user, revoke_sessions
from backend.clock import utc_now
from backend.errors import Invalid
from backend.extensions import db
from backend.jobs.queue import send


def forget_password(email: str) -> None:
    """Mail a link to reset the password to the account of an address, at most three times an hour.

    The same statements and the same response whether there is such an account or not.
    """
    # The placeholder address of a deleted account has no @, so it never matches.
    holder = select(User).where(matches_email(email)).with_for_update(key_share=True)
    message = create_reset_mail(db.session.scalar(holder))
    db.session.commit()
    send([message])


def reset_password(token: str, password: str, *, revoke_tokens: bool = False) -> None:
    """Set a new password with a mailed token, and end every session of the person.

    The link confirms the mail address: API tokens and the language model from before the confirmation end too, with
    `revoke_tokens` all API tokens. A mail lists the access that remains.

    Raises:
        Invalid: naming `body.token` (unknown, used, expired), or `body.password`; the token then still works.
    """
    user = lock_token_holder(token, "reset")
    fault = password_fault(password, user.username, user.email)
    if fault:
        raise Invalid.field("body.password", fault, "password")
    confirmed_since, user.password_hash = user.email_verified_at, hash_password(password)
    if confirmed_since is None:
        user.email_verified_at = utc_now()
        expire_tokens(user.id, "verify")
    left = end_unproven_access(user.id, confirmed_since, all_tokens=revoke_tokens)
    expire_tokens(user.id, "reset")
    ended = revoke_sessions(Session.user_id == user.id)
    record_event(user.id, "password_reset", detail=left.detail)
    notices = notify_new_password(user, "reset", left)
    db.session.commit()
    invalidate_sessions(ended)
    invalidate_tokens(left.ended)
    invalidate_user(user.id)
    send(notices)


def verify_email(token: str) -> None:
    """Confirm the person's present mail address.

    Raises:
        Invalid: naming `body.token`: unknown (or for an earlier address), used, expired.
    """
    user = lock_token_holder(token, "verify")
    user.email_verified_at = func.now()
    expire_tokens(user.id, "verify")
    record_event(user.id, "email_verified")
    db.session.commit()
    invalidate_user(user.id)


def send_verification_again(actor: Actor) -> None:
    """Mail another link to verify the address, unless it is verified; at most three an hour, without an error."""
    user = db.session.scalars(select(User).where(User.id == actor.user_id).with_for_update(key_share=True)).one()
    if user.email_verified_at is not None or not may_request(user.id, "verify"):
        return
    message = create_verification_mail(user)
    db.session.commit()
    send([message])
