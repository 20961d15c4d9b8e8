"""Asking for mails."""

from __future__ import annotations

from uuid import UUID, uuid4

from backend.extensions import db
from backend.jobs.queue import Message
from backend.mail.languages import asked_language
from backend.mail.message import TEMPLATES
from backend.mail.models import Mail

# More than a mail server may take (`sending.SEND_SECONDS`), less than the lease of a claim.
TIMEOUT_SECONDS = 120


def add_mail(to: str, template: str, values: dict[str, str]) -> Message:
    """A mail in the transaction at hand, in the language of the request; send the message after the commit.

    `values` are exactly those that `TEMPLATES` names for the template. `token` is the one of the link.

    Raises:
        ValueError: there is no such template, or the values are not those that it needs.
    """
    if template not in TEMPLATES or values.keys() != TEMPLATES[template].values:
        raise ValueError(f"no mail {template} of {sorted(values)}")
    mail_id = uuid4()
    db.session.add(
        Mail(id=mail_id, to_address=to, template=template, language=asked_language(), values=values, status="queued")
    )
    return mail_message(mail_id)


def add_empty_mail(template: str) -> Message:
    """A row that takes as long to write as a mail and is never sent, where nobody may see that there is none."""
    mail_id = uuid4()
    db.session.add(
        Mail(id=mail_id, to_address="", template=template, language=asked_language(), values={}, status="sent")
    )
    return mail_message(mail_id)


def mail_message(mail_id: UUID) -> Message:
    """The message that wakes a worker for this mail."""
    return Message(
        "backend.mail.jobs.send_mail",
        {"mail_id": str(mail_id)},
        key=f"mail-{mail_id}",
        queue="mail",
        timeout_seconds=TIMEOUT_SECONDS,
    )
