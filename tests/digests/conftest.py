"""A mail server, and people whose digest is due when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from flask import Flask

from backend.digests.jobs import make_due_digests
from backend.extensions import db
from backend.jobs.queue import rq_queue
from backend.jobs.registry import declared_job, load_jobs
from tests.mail.conftest import mail_server as mail_server
from tests.mail.conftest import row as row
from tests.mail.smtp_server import SmtpServer

Deliver = Callable[[], list[EmailMessage]]


@pytest.fixture
def send_mails(app: Flask) -> Callable[[], None]:
    """Sends the digests that wait on their queue, in this process."""

    def run() -> None:
        with app.app_context():
            load_jobs()
            for job in rq_queue("bulk_mail").get_jobs():
                job.delete()
                declaration = declared_job(job.func_name)
                assert declaration is not None
                declaration.function(**job.kwargs)
            db.session.remove()

    return run


@pytest.fixture
def deliver(app: Flask, mail_server: SmtpServer, send_mails: Callable[[], None]) -> Deliver:
    """Makes the digests that are due, and sends them; the mails that came by it."""

    def run() -> list[EmailMessage]:
        before = len(mail_server.raw)
        with app.app_context():
            make_due_digests()
            db.session.remove()
        send_mails()
        return mail_server.mails[before:]

    return run
