"""What the worker does for accounts."""

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
    """Tell all processes again which sessions have ended while an access token of theirs may still be alive.

    Whoever ended one told them at once; only a process that died while Redis was away has left that to us.
    """
    life = timedelta(minutes=current_settings().ACCESS_TOKEN_MINUTES)
    recent = select(Session.id).where(Session.revoked_at > func.now() - life)
    invalidate_sessions(db.session.scalars(recent).all())


@job("auth.purge_mail_tokens")
def purge_mail_tokens() -> None:
    """Delete tokens that expired more than 30 days ago: until then they get an answer that says so."""
    db.session.execute(delete(MailToken).where(MailToken.expires_at < func.now() - text("interval '30 days'")))
    db.session.commit()


@job("auth.purge_registrations")
def purge_registrations() -> None:
    """Forget how many accounts were made from which address more than a day ago."""
    db.session.execute(delete(Registration).where(Registration.created_at < func.now() - text("interval '1 day'")))
    db.session.commit()


@job("auth.purge_security_events")
def purge_security_events() -> None:
    """Delete security events of more than a year ago."""
    deque(execute_in_batches(PURGE_EVENTS), maxlen=0)
