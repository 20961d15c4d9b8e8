"""Jobs of mail: send, send again, purge. Idempotent."""

from __future__ import annotations

from uuid import UUID

from backend.jobs.queue import send, waiting_keys
from backend.jobs.registry import job
from backend.mail import outbox
from backend.mail.service import mail_message

RESEND_LIMIT = 1_000


@job("mail.send_mail")
def send_mail(mail_id: UUID | str) -> None:
    """Send one mail."""
    outbox.send(UUID(str(mail_id)))


@job("mail.resend_due_mails")
def resend_due_mails() -> None:
    """Send the messages of due mails that have none: a back-off has ended, a queue or a worker was lost."""
    messages = [mail_message(mail.id, mail.template) for mail in outbox.due_mails(RESEND_LIMIT)]
    waiting = {key for queue in {message.queue for message in messages} for key in waiting_keys(queue)}
    send([message for message in messages if message.key not in waiting])


@job("mail.purge_mails")
def purge_mails() -> None:
    """Delete old mails."""
    outbox.delete_old_mails()
