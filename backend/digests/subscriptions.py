"""Subscriptions to digests, in the transaction of the caller, who holds the person's row."""

from __future__ import annotations

from sqlalchemy import select

from backend.auth.models import User
from backend.auth.preferences import time_zone_named
from backend.clock import utc_now
from backend.digests.models import Digest
from backend.digests.schedule import next_due
from backend.extensions import db


def subscribe(user: User) -> None:
    """Set the next digest to the next first day of the person's week. One statement."""
    last = select(Digest.week).where(Digest.user_id == user.id).order_by(Digest.week.desc()).limit(1)
    zone = time_zone_named(user.time_zone)
    user.digest_due_at = next_due(utc_now(), zone, user.week_start, db.session.scalar(last))


def unsubscribe(user: User) -> None:
    """Have no more digests made; what is being made at this moment is not mailed either."""
    user.digest_due_at = None
