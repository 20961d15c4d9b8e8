"""Mails that tell people what was done with their account (R-AUTH): whoever did it may be somebody else.

They hold no word that anybody chose, and go to unconfirmed addresses too, but for sign-ins: these are nobody's business
whose mailbox was only typed in. Of each kind an account gets three an hour; the security events have all of them.
"""

from __future__ import annotations

from sqlalchemy import select

from backend.addresses import address_digest
from backend.auth.events import MAX_USER_AGENT
from backend.auth.models import SecurityEvent, User
from backend.auth.remaining_access import RemainingAccess
from backend.extensions import db, utc_now
from backend.jobs.queue import Message
from backend.mail.service import add_mail, count_recent

NOTICES_PER_HOUR = 3
# Of how many of the latest sign-ins is asked whether one came from the same place.
REMEMBERED_SIGN_INS = 1_000


def notify_new_password(user: User, how: str, left: RemainingAccess) -> list[Message]:
    """Tell that the password is another, and what still opens the account without it. `how` is `changed` or `reset`."""
    values = {
        "how": how,
        "tokens": str(left.tokens),
        "provider": "yes" if left.has_provider else "",
        "ended": "yes" if left.ended_unproven else "",
    }
    return _add_notice(user.email, "password_changed", values, is_confirmed=user.email_verified_at is not None)


def notify_new_address(former: str, *, was_confirmed: bool) -> list[Message]:
    """Tell the former address that the account has another. The new one gets a link to confirm it."""
    return _add_notice(former, "email_changed", {}, is_confirmed=was_confirmed)


def notify_new_token(user: User) -> list[Message]:
    """Tell that an API token was made."""
    return _add_notice(user.email, "token_created", {}, is_confirmed=user.email_verified_at is not None)


def notify_new_sign_in(user: User, ip: str, user_agent: str) -> list[Message]:
    """Tell of a sign-in from a device that is not known, before it is recorded; nothing to unconfirmed addresses."""
    if user.email_verified_at is None or not is_unknown_device(user.id, ip, user_agent):
        return []
    values = {"address": ip, "time": f"{utc_now():%Y-%m-%d %H:%M} UTC"}
    return _add_notice(user.email, "new_sign_in", values, is_confirmed=True)


def is_unknown_device(user_id: int, ip: str, user_agent: str) -> bool:
    """Whether the person has signed in before, and never from this address (IPv6: its /64) with this user agent."""
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


def _add_notice(to: str, template: str, values: dict[str, str], *, is_confirmed: bool) -> list[Message]:
    """The mail in the transaction at hand, unless the address got three of these within an hour."""
    if count_recent(to, template) >= NOTICES_PER_HOUR:
        return []
    return [add_mail(to, template, values, solicited=is_confirmed)]
