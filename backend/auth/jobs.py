"""What the worker does for accounts."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, text

from backend.auth.models import Session
from backend.extensions import db

PURGE_EVENTS = text("""
    DELETE FROM security_events WHERE id IN (
        SELECT id FROM security_events WHERE created_at < now() - interval '365 days' LIMIT 10000)
""")


def purge_sessions() -> None:
    """Delete sessions that ended or expired more than a day ago."""
    yesterday = func.now() - text("interval '1 day'")
    db.session.execute(delete(Session).where(or_(Session.expires_at < yesterday, Session.revoked_at < yesterday)))
    db.session.commit()


def purge_security_events() -> None:
    """Delete security events of more than a year ago."""
    while db.session.execute(PURGE_EVENTS).rowcount:  # type: ignore[attr-defined]
        db.session.commit()
    db.session.commit()
