"""Transactional outbox of mails: claim, send, back-off, failure, purge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from loguru import logger
from sqlalchemy import Row, delete, func, select

from backend.extensions import db
from backend.leases import BackOff, claim_attempt, is_due, seconds_from_now, update_attempt
from backend.mail.bounds import find_reached_limit
from backend.mail.faults import PermanentFailure, TransientFailure
from backend.mail.message import TEMPLATES, OutgoingMail, compose
from backend.mail.models import Mail
from backend.mail.sending import deliver

# Longer than the time limit of a send (`service.TIMEOUT_SECONDS`).
LEASE_SECONDS = 180
BACK_OFF = BackOff((60, 300, 1_800, 7_200))
MAX_ATTEMPTS = BACK_OFF.attempts
RETENTION_DAYS = 30
BULK_TEMPLATES = [name for name, template in TEMPLATES.items() if template.queue != "mail"]
# Columns whose name differs from the field of `OutgoingMail`.
COLUMNS = {"attempt": "attempts"}


def send(mail_id: UUID) -> None:
    """Send a due mail that no other worker has claimed; do nothing otherwise."""
    mail = _claim(mail_id)
    if mail is None or not _admit(mail):
        return
    with logger.contextualize(mail_id=str(mail.id), template=mail.template, attempt=mail.attempt):
        if mail.attempt > MAX_ATTEMPTS:
            # Each earlier try killed its worker; another would kill this one.
            _fail(mail, f"Its sending was started {MAX_ATTEMPTS} times and never came to an end.")
        else:
            _try(mail)


def due_mails(limit: int) -> Sequence[Row[Any]]:
    """Return id and template of due, unclaimed mails, the longest waiting first; those that nobody waits for last."""
    due = select(Mail.id, Mail.template).where(Mail.status == "queued", is_due(Mail.due_at))
    by_urgency = due.order_by(Mail.template.in_(BULK_TEMPLATES), Mail.due_at)
    return cast("Sequence[Row[Any]]", db.session.execute(by_urgency.limit(limit)).all())


def delete_old_mails() -> None:
    """Delete mails 30 days after their creation."""
    db.session.execute(delete(Mail).where(Mail.created_at < func.now() - timedelta(days=RETENTION_DAYS)))
    db.session.commit()


def _try(mail: OutgoingMail) -> None:
    try:
        # The name sorts by time, and a second try writes the same file.
        deliver(compose(mail), f"{mail.created_at:%Y%m%dT%H%M%S.%fZ}-{mail.id}")
    except PermanentFailure as fault:
        _fail(mail, str(fault))
    except TransientFailure as fault:
        _put_back(mail, str(fault))
    except Exception as error:
        db.session.rollback()
        logger.opt(exception=error).error("mail not sent")
        _put_back(mail, "It failed for a reason inside the server; see its logs.")
    else:
        _change(mail, status="sent", sent_at=func.now(), values={}, error=None)
        logger.info("mail sent")


def _put_back(mail: OutgoingMail, reason: str) -> None:
    wait = BACK_OFF.delay_after(mail.attempt)
    if wait is None:
        _fail(mail, reason)
        return
    logger.warning("mail not sent, again in {} s", wait)
    _change(mail, due_at=seconds_from_now(wait), error=reason)


def _fail(mail: OutgoingMail, reason: str) -> None:
    logger.error("mail failed; its row tells why")
    _change(mail, status="failed", values={}, error=reason)


def _claim(mail_id: UUID) -> OutgoingMail | None:
    """Claim a mail if it is due; the commit in `_admit` makes the claim visible."""
    row = db.session.execute(
        claim_attempt(Mail.attempts, mail_id)
        .where(Mail.status == "queued", is_due(Mail.due_at))
        .values(due_at=seconds_from_now(LEASE_SECONDS))
        .returning(*(getattr(Mail, COLUMNS.get(field.name, field.name)) for field in fields(OutgoingMail)))
    ).one_or_none()
    if row is None:
        db.session.commit()
    return OutgoingMail(*row) if row else None


def _admit(mail: OutgoingMail) -> bool:
    """Tell whether the mail may be sent now; else put it off until the limit allows it, or fail it if that is too late.

    A later try is counted already; a mail of an earlier version has no mailbox.
    """
    is_bounded = mail.mailbox and not mail.solicited and mail.attempt == 1
    limit = find_reached_limit(mail.mailbox, mail.domain) if is_bounded else None
    if limit is None:
        _change(mail, started_at=func.now())
        return True
    template = TEMPLATES[mail.template]
    if limit.until > mail.created_at + template.patience or (limit.is_mailbox and template.asks_again):
        logger.warning("mail {} failed: too many within an hour to one mailbox or domain", mail.id)
        _change(mail, status="failed", values={}, attempts=0, error=limit.reason)
    else:
        logger.info("mail {} waits: too many within an hour to one mailbox or domain", mail.id)
        _change(mail, attempts=0, due_at=limit.until, error=f"{limit.reason} It waits.")
    return False


def _change(mail: OutgoingMail, **values: Any) -> None:
    db.session.execute(
        update_attempt(Mail.attempts, mail.id, mail.attempt).where(Mail.status == "queued").values(**values)
    )
    db.session.commit()
