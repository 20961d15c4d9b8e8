"""The way out of digests: behind the mails that somebody waits for."""

from __future__ import annotations

import pytest
from flask import Flask
from rq.worker import DequeueStrategy

from backend.extensions import db
from backend.jobs.lanes import LANES
from backend.jobs.queue import rq_queue, send
from backend.jobs.worker import make_worker
from backend.mail.jobs import resend_due_mails
from backend.mail.service import add_mail
from tests.digests.conftest import Deliver
from tests.digests.subscribers import execute, subscribe
from tests.mail.reading import LIFT_WAITS
from tests.mail.smtp_server import SmtpServer
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
EMPTY = {"token": "t", "new_total": "0", "tasks_total": "0", "new": [], "tasks": [], "recommendations": []}


def test_a_mail_that_somebody_waits_for_does_not_wait_for_digests(
    ada: Api, anonymous: Api, context: Flask, mail_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send([add_mail(f"p{number}@example.org", "digest", EMPTY) for number in range(5)])
    db.session.commit()
    anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
    [lane] = [lane for lane in LANES if lane.name == "mail"]
    make_worker(lane.queues).work(burst=True, logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
    assert [mail["To"] for mail in mail_server.mails].index("ada@example.org") <= 1
    assert len(mail_server.mails) == 6


def test_lost_messages_of_digests_come_after_those_that_somebody_waits_for(
    ada: Api, anonymous: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        add_mail(f"p{number}@example.org", "digest", EMPTY)
    db.session.commit()
    anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
    rq_queue("mail").empty()
    monkeypatch.setattr("backend.mail.jobs.RESEND_LIMIT", 2)
    resend_due_mails()
    assert (rq_queue("mail").count, rq_queue("bulk_mail").count) == (1, 1)


def test_a_mail_server_that_is_away_gets_it_later(ada: Api, deliver: Deliver, mail_server: SmtpServer) -> None:
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    mail_server.replies["DATA"] = "451 later"
    assert deliver() == []
    del mail_server.replies["DATA"]
    execute(ada, LIFT_WAITS)
    with ada.app.app_context():
        resend_due_mails()
    assert len(deliver()) == 1
