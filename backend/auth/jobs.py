"""Jobs of accounts: purges, and repeated revocations."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, text

from backend.auth.models import MailToken, Registration, Session
from backend.auth.session_cache import invalidate_sessions
from backend.database import execute_in_batches
from backend.extensions import current_settings, db
from backend.jobs.registry import job

PURGE_EVENTS = text("""
    DELETE FROM security_events WHERE id IN (
        SELECT id FROM security_events WHERE created_at < now() - interval '365 days' LIMIT 10000)
""")


@job("auth.purge_sessions")
def purge_sessions() -> None:
    """Delete sessions that ended or expired more than a day ago."""
    yesterday = func.now() - text("interval '1 day'")
    db.session.execute(delete(Session).where(or_(Session.expires_at < yesterday, Session.revoked_at < yesterday)))
    db.session.commit()


@job("auth.repeat_revocations")
def repeat_revocations() -> None:
    """Invalidate revoked sessions again whose access tokens may still be alive.

    Only a process that died while Redis was away has left an invalidation unsent.
    """
    life = timedelta(minutes=current_settings().ACCESS_TOKEN_MINUTES)
    recent = select(Session.id).where(Session.revoked_at > func.now() - life)
    invalidate_sessions(db.session.scalars(recent).all())


@job("auth.purge_mail_tokens")
def purge_mail_tokens() -> None:
    """Delete tokens that expired more than 30 days ago: until then the response says that they are expired."""
    db.session.execute(delete(MailToken).where(MailToken.expires_at < func.now() - text("interval '30 days'")))
    db.session.commit()


@job("auth.purge_registrations")
def purge_registrations() -> None:
    """Delete the records of registrations by address after a day."""
    db.session.execute(delete(Registration).where(Registration.created_at < func.now() - text("interval '1 day'")))
    db.session.commit()


@job("auth.purge_security_events")
def purge_security_events() -> None:
    """Delete security events after a year."""
    deque(execute_in_batches(PURGE_EVENTS), maxlen=0)
