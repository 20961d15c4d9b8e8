"""Limit of registrations from one address within an hour (R-TRUST 5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from backend.auth.models import Registration
from backend.clock import utc_now
from backend.errors import TooManyRequests
from backend.extensions import current_settings, db
from backend.http.client_addresses import address_digest

HOUR = timedelta(hours=1)
# First of the two keys of an advisory lock.
LOCK = 0x72656769


def refuse_too_many_registrations(address: str) -> None:
    """Check the registrations from the client's address (IPv6: its /64) within the last hour.

    Raises:
        TooManyRequests: with the seconds until the next is allowed.
    """
    settings = current_settings()
    if not settings.ENABLE_RATE_LIMITING:
        return
    recent = select(Registration.created_at).where(
        Registration.address == address_digest(address), Registration.created_at > func.now() - HOUR
    )
    oldest: datetime | None = db.session.scalar(
        recent.order_by(Registration.created_at.desc()).offset(settings.registrations_per_hour - 1).limit(1)
    )
    if oldest is not None:
        wait = (oldest + HOUR - utc_now()).total_seconds()
        raise TooManyRequests("Too many accounts were made from your address. Try again later.", retry_after=wait)


def count_registration(address: str) -> None:
    """Record a registration in the current transaction, and check the limit again under a lock.

    Call it last before the commit: other registrations from this address wait for it.

    Raises:
        TooManyRequests: concurrent registrations were faster.
    """
    if not current_settings().ENABLE_RATE_LIMITING:
        return
    db.session.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(address_digest(address)))))
    refuse_too_many_registrations(address)
    db.session.add(Registration(address=address_digest(address)))
