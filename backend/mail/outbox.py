"""Mails on their way: claimed, sent, tried again, given up, forgotten."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from loguru import logger
from sqlalchemy import delete, func, select, update

from backend.extensions import db
from backend.mail.bounds import find_reached_limit
from backend.mail.faults import PermanentFailure, TransientFailure
from backend.mail.message import TEMPLATES, OutgoingMail, compose
from backend.mail.models import Mail
from backend.mail.sending import deliver

# Longer than a worker may take for one (`service.TIMEOUT_SECONDS`).
LEASE_SECONDS = 180
# The wait after each try; after one more the mail is given up.
RETRY_SECONDS = (60, 300, 1_800, 7_200)
MAX_ATTEMPTS = len(RETRY_SECONDS) + 1
RETENTION_DAYS = 30
# Of what a worker needs to know of a mail, the columns that are called otherwise.
COLUMNS = {"attempt": "attempts"}


def send(mail_id: UUID) -> None:
    """Send a mail that is due and that nobody else is sending; does nothing for any other."""
    mail = _claim(mail_id)
    if mail is None or not _admit(mail):
        return
    with logger.contextualize(mail_id=str(mail.id), template=mail.template, attempt=mail.attempt):
        if mail.attempt > MAX_ATTEMPTS:
            # Each start before this one ended with the death of its worker; another would kill this one too.
            _give_up(mail, f"Its sending was started {MAX_ATTEMPTS} times and never came to an end.")
        else:
            _try(mail)


def due_mails(limit: int) -> list[UUID]:
    """Ids of mails that may be sent and that nobody is sending, the longest waiting first."""
    due = select(Mail.id).where(Mail.status == "queued", Mail.due_at <= func.now())
    return list(db.session.scalars(due.order_by(Mail.due_at).limit(limit)))


def delete_old_mails() -> None:
    """Delete what was asked for longer than 30 days ago."""
    db.session.execute(delete(Mail).where(Mail.created_at < func.now() - timedelta(days=RETENTION_DAYS)))
    db.session.commit()


def _try(mail: OutgoingMail) -> None:
    try:
        # The name sorts by time, and a second try writes the same file.
        deliver(compose(mail), f"{mail.created_at:%Y%m%dT%H%M%S.%fZ}-{mail.id}")
    except PermanentFailure as fault:
        _give_up(mail, str(fault))
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
    if mail.attempt == MAX_ATTEMPTS:
        _give_up(mail, reason)
        return
    wait = RETRY_SECONDS[mail.attempt - 1]
    logger.warning("mail not sent, again in {} s", wait)
    _change(mail, due_at=func.now() + timedelta(seconds=wait), error=reason)


def _give_up(mail: OutgoingMail, reason: str) -> None:
    logger.error("mail given up; its row tells why")
    _change(mail, status="failed", values={}, error=reason)


def _claim(mail_id: UUID) -> OutgoingMail | None:
    """The mail, if it is due; this worker's alone with the commit, which `_admit` does."""
    row = db.session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.status == "queued", Mail.due_at <= func.now())
        .values(attempts=Mail.attempts + 1, due_at=func.now() + timedelta(seconds=LEASE_SECONDS))
        .returning(*(getattr(Mail, COLUMNS.get(field.name, field.name)) for field in fields(OutgoingMail)))
    ).one_or_none()
    if row is None:
        db.session.commit()
    return OutgoingMail(*row) if row else None


def _admit(mail: OutgoingMail) -> bool:
    """Whether the mail may go now; else it waits until there is room, or is given up where that is too late.

    A later try of a mail that was begun once has its place already; of one that an earlier version asked for, the
    mailbox is not known.
    """
    is_bounded = mail.mailbox and not mail.solicited and mail.attempt == 1
    full = find_reached_limit(mail.mailbox, mail.domain) if is_bounded else None
    if full is None:
        _change(mail, started_at=func.now())
        return True
    template = TEMPLATES[mail.template]
    if full.until > mail.created_at + template.patience or (full.is_mailbox and template.asks_again):
        logger.warning("mail {} given up: too many within an hour to one mailbox or domain", mail.id)
        _change(mail, status="failed", values={}, attempts=0, error=full.reason)
    else:
        logger.info("mail {} waits: too many within an hour to one mailbox or domain", mail.id)
        _change(mail, attempts=0, due_at=full.until, error=f"{full.reason} It waits.")
    return False


def _change(mail: OutgoingMail, **values: Any) -> None:
    # Nothing changes of a mail that was claimed anew in the meantime.
    db.session.execute(
        update(Mail).where(Mail.id == mail.id, Mail.status == "queued", Mail.attempts == mail.attempt).values(**values)
    )
    db.session.commit()
