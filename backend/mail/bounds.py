"""How many mails a mailbox and a domain get within an hour that their owners have not asked for.

Counted in PostgreSQL when a worker begins to send, so that it holds for every way in, over all processes, without
Redis, and so that no request answers sooner or otherwise for a mailbox that has had enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from backend.extensions import current_settings, db
from backend.mail.models import Mail

HOUR = timedelta(hours=1)
# Of the two keys of an advisory lock, the first.
MAILBOX_LOCK, DOMAIN_LOCK = 0x6D61696C, 0x646F6D61
# Where so many different people have their mailboxes that one of them must not make the others wait.
LARGE_PROVIDERS = frozenset(
    {
        "gmail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "mail.ru",
        "yandex.ru",
        "qq.com",
        "163.com",
        "fastmail.com",
        "zoho.com",
    }
)
LARGE_FACTOR = 20


@dataclass(frozen=True)
class LimitReached:
    """That no further mail may go there before `until`; `is_mailbox` tells a mailbox from a whole domain."""

    until: datetime
    is_mailbox: bool
    reason: str


def find_reached_limit(mailbox: str, domain: str) -> LimitReached | None:
    """Whether the mailbox or its domain has had enough. Both are locked until the commit: call it before beginning to
    send, and commit that this mail has begun, so that of many workers together none passes the bound.
    """
    settings = current_settings()
    db.session.execute(select(func.pg_advisory_xact_lock(MAILBOX_LOCK, func.hashtext(mailbox))))
    until = _full_until(Mail.mailbox == mailbox, settings.MAILS_PER_HOUR_TO_MAILBOX)
    if until is not None:
        return LimitReached(until, True, f"This mailbox got {settings.MAILS_PER_HOUR_TO_MAILBOX} mails within an hour.")
    bound = settings.MAILS_PER_HOUR_TO_DOMAIN * (LARGE_FACTOR if domain in LARGE_PROVIDERS else 1)
    db.session.execute(select(func.pg_advisory_xact_lock(DOMAIN_LOCK, func.hashtext(domain))))
    until = _full_until((Mail.domain == domain) & ~Mail.solicited, bound)
    if until is not None:
        return LimitReached(
            until, False, f"The domain {domain} got {bound} mails within an hour to unconfirmed addresses."
        )
    return None


def _full_until(which: ColumnElement[bool], bound: int) -> datetime | None:
    """When the hour is over of the mail that is as many back as there may be; None where there are fewer."""
    begun = select(Mail.started_at).where(which, Mail.started_at > func.now() - HOUR)
    oldest: datetime | None = db.session.scalar(begun.order_by(Mail.started_at.desc()).offset(bound - 1).limit(1))
    return oldest + HOUR if oldest is not None else None
