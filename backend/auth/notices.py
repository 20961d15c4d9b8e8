"""Security notices: mails about changes of an account (R-AUTH), since somebody else may have made them.

They contain no text of any user, and go to unconfirmed addresses too, except for sign-ins: these must not reach a
mailbox that somebody only typed in. An account gets three of each kind an hour, whatever its addresses; the security
events list all. Lock the user's row, and record the event first.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from backend.auth.events import MAX_USER_AGENT
from backend.auth.models import SecurityEvent, User
from backend.auth.remaining_access import RemainingAccess
from backend.clock import utc_now
from backend.extensions import db
from backend.http.client_addresses import address_digest
from backend.jobs.queue import Message
from backend.mail.service import add_mail, count_recent

NOTICES_PER_HOUR = 3
# The latest sign-ins among which a device counts as known.
REMEMBERED_SIGN_INS = 1_000
# First of the two keys of an advisory lock.
LOCK = 0x7369676E


def notify_new_password(user: User, how: str, left: RemainingAccess) -> list[Message]:
    """Notify of a new password, and of the access that remains without it. `how` is `changed` or `reset`."""
    values = {
        "how": how,
        "tokens": str(left.tokens),
        "provider": "yes" if left.has_provider else "",
        "ended": "yes" if left.ended_unproven else "",
    }
    if _is_frequent(user.id, "password_reset" if how == "reset" else "password_changed"):
        return []
    return [add_mail(user.email, "password_changed", values, solicited=user.email_verified_at is not None)]


def notify_new_address(user: User, former: str, *, was_confirmed: bool) -> list[Message]:
    """Notify the former address of a new one. The new one gets a link to confirm it.

    A confirmed address is always notified; for others the limit holds, so that nobody mails one address after another.
    """
    if not was_confirmed and _is_frequent(user.id, "email_changed"):
        return []
    return [add_mail(former, "email_changed", {}, solicited=was_confirmed)]


def notify_new_token(user: User) -> list[Message]:
    """Notify of a new API token."""
    if _is_frequent(user.id, "token_created"):
        return []
    return [add_mail(user.email, "token_created", {}, solicited=user.email_verified_at is not None)]


def notify_new_sign_in(user: User, ip: str, user_agent: str) -> list[Message]:
    """Notify of a sign-in from an unknown device, before it is recorded; never to unconfirmed addresses."""
    if user.email_verified_at is None or not is_unknown_device(user.id, ip, user_agent):
        return []
    # The row has a shared lock only, so that concurrent logins go on.
    db.session.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(user.email_key))))
    if count_recent(user.email, "new_sign_in") >= NOTICES_PER_HOUR:
        return []
    values = {"address": ip, "time": f"{utc_now():%Y-%m-%d %H:%M} UTC"}
    return [add_mail(user.email, "new_sign_in", values, solicited=True)]


def is_unknown_device(user_id: int, ip: str, user_agent: str) -> bool:
    """Tell whether the person has signed in before, but never from this address (IPv6: its /64) and user agent."""
    latest = (
        select(SecurityEvent.ip, SecurityEvent.user_agent)
        .where(SecurityEvent.user_id == user_id, SecurityEvent.kind.in_(("login", "registered")))
        .order_by(SecurityEvent.created_at.desc(), SecurityEvent.id.desc())
        .limit(REMEMBERED_SIGN_INS)
        .subquery()
    )
    known = db.session.execute(select(latest.c.ip, latest.c.user_agent).distinct()).all()
    here = address_digest(ip), user_agent[:MAX_USER_AGENT]
    return bool(known) and here not in {(address_digest(row.ip), row.user_agent) for row in known}


def _is_frequent(user_id: int, kind: str) -> bool:
    """Tell whether the account had more than three of these events within an hour."""
    recent = select(func.count()).where(
        SecurityEvent.user_id == user_id,
        SecurityEvent.kind == kind,
        SecurityEvent.created_at > func.now() - timedelta(hours=1),
    )
    return db.session.scalars(recent).one() > NOTICES_PER_HOUR
