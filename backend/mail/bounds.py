"""Rate limits of unsolicited mails, for each mailbox and domain within an hour.

Counted in PostgreSQL when a worker begins to send: so they hold for all routes and processes, without Redis, and no
response or its time depends on a reached limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from backend.extensions import current_settings, db
from backend.mail.models import Mail

HOUR = timedelta(hours=1)
# First of the two keys of an advisory lock.
MAILBOX_LOCK, DOMAIN_LOCK = 0x6D61696C, 0x646F6D61
# Providers with so many mailboxes that one must not use up the limit of all.
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
    """Reached limit: no mail before `until`; `is_mailbox` tells a mailbox from a whole domain."""

    until: datetime
    is_mailbox: bool
    reason: str


def find_reached_limit(mailbox: str, domain: str) -> LimitReached | None:
    """Return the reached limit of a mailbox or its domain, if there is one.

    Both are locked until the commit, which must set `started_at` of the mail: concurrent workers then count it.
    """
    settings = current_settings()
    db.session.execute(select(func.pg_advisory_xact_lock(MAILBOX_LOCK, func.hashtext(mailbox))))
    until = _blocked_until(Mail.mailbox == mailbox, settings.MAILS_PER_HOUR_TO_MAILBOX)
    if until is not None:
        return LimitReached(until, True, f"This mailbox got {settings.MAILS_PER_HOUR_TO_MAILBOX} mails within an hour.")
    limit = settings.MAILS_PER_HOUR_TO_DOMAIN * (LARGE_FACTOR if domain in LARGE_PROVIDERS else 1)
    db.session.execute(select(func.pg_advisory_xact_lock(DOMAIN_LOCK, func.hashtext(domain))))
    until = _blocked_until((Mail.domain == domain) & ~Mail.solicited, limit)
    if until is not None:
        return LimitReached(
            until, False, f"The domain {domain} got {limit} mails within an hour to unconfirmed addresses."
        )
    return None


def _blocked_until(condition: ColumnElement[bool], limit: int) -> datetime | None:
    """Return when a further mail is allowed; None where fewer than the limit were sent within the hour."""
    begun = select(Mail.started_at).where(condition, Mail.started_at > func.now() - HOUR)
    oldest: datetime | None = db.session.scalar(begun.order_by(Mail.started_at.desc()).offset(limit - 1).limit(1))
    return oldest + HOUR if oldest is not None else None
