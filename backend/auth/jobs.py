"""What the worker does for accounts."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, text

from backend.auth.models import MailToken, Session
from backend.extensions import db


def purge_sessions() -> None:
    """Delete sessions that ended or expired more than a day ago."""
    yesterday = func.now() - text("interval '1 day'")
    db.session.execute(delete(Session).where(or_(Session.expires_at < yesterday, Session.revoked_at < yesterday)))
    db.session.commit()


def purge_mail_tokens() -> None:
    """Delete tokens that expired more than 30 days ago: until then they get an answer that says so."""
    db.session.execute(delete(MailToken).where(MailToken.expires_at < func.now() - text("interval '30 days'")))
    db.session.commit()
