"""What people do by mail: choose a new password, verify an address."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.mail.tokens import ask_for_reset, ask_for_verification, find_holder, may_ask, use_up
from backend.auth.models import Session, User
from backend.auth.notices import notify_new_password
from backend.auth.passwords import hash_password, password_fault
from backend.auth.queries import is_at_address
from backend.auth.remaining_access import end_unproven_access
from backend.auth.session_cache import announce_deleted_tokens, announce_revoked, forget_user, revoke_sessions
from backend.clock import utc_now
from backend.errors import Invalid
from backend.extensions import db
from backend.jobs.queue import send


def forget_password(email: str) -> None:
    """Mail a link to choose a new password to whoever has this address, three times an hour at most.

    The same statements and the same answer whether there is such a person or not.
    """
    # What stands in the place of a deleted account's address has no @, so nobody finds it.
    holder = select(User).where(is_at_address(email)).with_for_update(key_share=True)
    message = ask_for_reset(db.session.scalar(holder))
    db.session.commit()
    send([message])


def reset_password(token: str, password: str, *, revoke_tokens: bool = False) -> None:
    """Set a new password with a mailed token, and end every session of the person.

    The link shows that the mailbox is theirs: what was set up before that was known ends too, API tokens and the
    language model. With `revoke_tokens` all API tokens end. A mail tells what is left.

    Raises:
        Invalid: naming `body.token` (unknown, used, expired), or `body.password`; the token then still works.
    """
    user = find_holder(token, "reset")
    fault = password_fault(password, user.username, user.email)
    if fault:
        raise Invalid.field("body.password", fault, "password")
    confirmed_since, user.password_hash = user.email_verified_at, hash_password(password)
    if confirmed_since is None:
        user.email_verified_at = utc_now()
        use_up(user.id, "verify")
    left = end_unproven_access(user.id, confirmed_since, all_tokens=revoke_tokens)
    use_up(user.id, "reset")
    ended = revoke_sessions(Session.user_id == user.id)
    record_event(user.id, "password_reset", detail=left.detail)
    notices = notify_new_password(user, "reset", left)
    db.session.commit()
    announce_revoked(ended)
    announce_deleted_tokens(left.ended)
    forget_user(user.id)
    send(notices)


def verify_email(token: str) -> None:
    """Note that the person's present address is theirs.

    Raises:
        Invalid: naming `body.token`: unknown (or for an earlier address), used, expired.
    """
    user = find_holder(token, "verify")
    user.email_verified_at = func.now()
    use_up(user.id, "verify")
    record_event(user.id, "email_verified")
    db.session.commit()
    forget_user(user.id)


def send_verification_again(actor: Actor) -> None:
    """Mail another link to verify the address, unless it is verified already; three an hour at most, quietly."""
    user = db.session.scalars(select(User).where(User.id == actor.user_id).with_for_update(key_share=True)).one()
    if user.email_verified_at is not None or not may_ask(user.id, "verify"):
        return
    message = ask_for_verification(user)
    db.session.commit()
    send([message])
