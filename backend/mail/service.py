"""Creation of mails in the outbox."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from backend.extensions import db
from backend.jobs.queue import Message
from backend.mail.addresses import mailbox
from backend.mail.languages import preferred_language
from backend.mail.message import TEMPLATES, MailValues
from backend.mail.models import Mail

# Longer than a send may take (`sending.SEND_SECONDS`), shorter than the lease of a claim.
TIMEOUT_SECONDS = 120


def add_mail(
    to: str, template: str, values: MailValues, *, solicited: bool = False, language: str | None = None
) -> Message:
    """Add a mail in the current transaction; send the message after the commit.

    `values` are exactly those that `TEMPLATES` names for the template; `token` goes into the link. `solicited` says
    that the recipient has confirmed the address and that their account limits such mails: no other limit holds then.
    Without a language it is that of the request.

    Raises:
        ValueError: there is no such template, or the values are not its own.
    """
    if template not in TEMPLATES or not TEMPLATES[template].takes(values):
        raise ValueError(f"no mail {template} of {sorted(values)}")
    mail_id = uuid4()
    box = mailbox(to)
    db.session.add(
        Mail(
            id=mail_id,
            to_address=to,
            mailbox=box,
            domain=box.rpartition("@")[2],
            solicited=solicited,
            template=template,
            language=language or preferred_language(),
            values=dict(values),
            status="queued",
        )
    )
    return mail_message(mail_id, template)


def count_recent(to: str, template: str) -> int:
    """Count the mails of a template that were created for an address within an hour."""
    same = Mail.mailbox == mailbox(to), Mail.to_address == to, Mail.template == template
    recent = select(func.count()).where(*same, Mail.created_at > func.now() - timedelta(hours=1))
    return db.session.scalars(recent).one()


def add_empty_mail(template: str) -> Message:
    """Add a row that is never sent, so that requests take the same time with and without a mail."""
    mail_id = uuid4()
    db.session.add(
        Mail(id=mail_id, to_address="", template=template, language=preferred_language(), values={}, status="sent")
    )
    return mail_message(mail_id, template)


def withdraw_mails(to: str, template: str) -> None:
    """Fail the mails of a template to an address that are not sent yet, in the current transaction."""
    waiting = (Mail.mailbox == mailbox(to), Mail.to_address == to, Mail.template == template, Mail.status == "queued")
    db.session.execute(
        update(Mail).where(*waiting).values(status="failed", values={}, error="It is not wanted any more.")
    )


def mail_message(mail_id: UUID, template: str) -> Message:
    """Make the message that has a worker send a mail of a template."""
    return Message(
        "mail.send_mail",
        {"mail_id": str(mail_id)},
        key=f"mail-{mail_id}",
        queue=TEMPLATES[template].queue,
        timeout_seconds=TIMEOUT_SECONDS,
    )
