"""Mails on their way: sent once, tried again, given up with a reason (R-WORK 3)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from backend.extensions import db
from backend.jobs.queue import send
from backend.mail import outbox
from backend.mail.jobs import purge_mails, resend_due_mails, send_mail
from backend.mail.service import add_mail
from config import Settings
from tests.mail.reading import LIFT_WAITS, link
from tests.mail.smtp_server import SmtpServer, smtp_server
from tests.support.processes import free_port

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

VALUES = {"username": "ada", "token": "secret-token"}
DIGEST = {"token": "t", "new_total": "1", "tasks_total": "0", "new": [], "tasks": [], "recommendations": []}
STATE = "SELECT status, attempts, error, values, round(extract(epoch FROM due_at - now())) AS wait, sent_at FROM mails"
Row = Callable[..., Any]


@pytest.fixture
def mail_id(context: Flask) -> str:
    """A mail that waits to be sent."""
    message = add_mail("ada@example.org", "reset", VALUES)
    db.session.commit()
    return str(message.arguments["mail_id"])


def test_a_mail_is_sent_once_however_often_its_message_comes(mail_id: str, mail_server: SmtpServer, row: Row) -> None:
    send_mail(mail_id)
    send_mail(mail_id)
    row("UPDATE mails SET due_at = now()")
    send_mail(mail_id)
    assert len(mail_server.mails) == 1
    state = row(STATE)
    assert (state.status, state.attempts, state.error, state.values) == ("sent", 1, None, {})
    assert state.sent_at is not None


def test_of_many_workers_one_sends_it(mail_id: str, mail_server: SmtpServer, context: Flask) -> None:
    def work(_: int) -> None:
        with context.app_context():
            send_mail(mail_id)
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(mail_server.mails) == 1


def test_a_message_for_a_mail_that_never_was_does_nothing(context: Flask, mail_server: SmtpServer) -> None:
    send_mail("00000000-0000-4000-8000-000000000000")
    assert mail_server.commands == []


@pytest.mark.parametrize("word", ["CONNECT", "MAIL", "RCPT", "DATA", "END"])
def test_a_server_that_asks_for_patience_is_tried_again_later(
    mail_id: str, mail_server: SmtpServer, row: Row, word: str
) -> None:
    mail_server.replies[word] = "451 come back later"
    send_mail(mail_id)
    state = row(STATE)
    assert (state.status, state.attempts) == ("queued", 1)
    assert "451 come back later" in state.error
    assert 55 <= state.wait <= 60
    assert state.values == VALUES
    del mail_server.replies[word]
    send_mail(mail_id)
    assert mail_server.mails == []
    row(LIFT_WAITS)
    send_mail(mail_id)
    assert row(STATE).status == "sent"
    assert link(mail_server.mails[0]) == ("/reset-password", "secret-token")


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "END"])
def test_a_server_that_refuses_for_good_ends_it_with_its_reason(
    mail_id: str, mail_server: SmtpServer, row: Row, word: str
) -> None:
    mail_server.replies[word] = "550 no such mailbox\x00 here"
    send_mail(mail_id)
    state = row(STATE)
    assert (state.status, state.attempts, state.values) == ("failed", 1, {})
    assert state.error == "The mail server refused: 550 no such mailbox here"
    row(LIFT_WAITS)
    send_mail(mail_id)
    assert row(STATE).attempts == 1


@pytest.mark.parametrize("word", ["CONNECT", "EHLO", "MAIL", "DATA", "END"])
def test_a_server_that_hangs_up_is_tried_again_later(
    mail_id: str, mail_server: SmtpServer, row: Row, word: str
) -> None:
    mail_server.replies |= {word: "drop", "HELO": "drop"}
    send_mail(mail_id)
    assert row(STATE).status == "queued"


def test_a_server_that_is_away_is_tried_five_times_with_growing_waits(
    mail_id: str, context: Flask, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    settings: Settings = context.extensions["settings"]
    monkeypatch.setattr(settings, "SMTP_URL", SecretStr(f"smtp://127.0.0.1:{free_port()}"))
    waits = []
    for _ in range(4):
        send_mail(mail_id)
        state = row(STATE)
        assert state.status == "queued"
        waits.append(state.wait)
        row(LIFT_WAITS)
    assert waits == pytest.approx([60, 300, 1800, 7200], abs=5)
    send_mail(mail_id)
    state = row(STATE)
    assert (state.status, state.attempts, state.values) == ("failed", 5, {})
    assert state.error == "The mail server could not be used: Connection refused"


def test_a_server_that_comes_back_gets_the_mail(
    mail_id: str, context: Flask, monkeypatch: pytest.MonkeyPatch, row: Row, work: Callable[[], int]
) -> None:
    port = free_port()
    monkeypatch.setattr(context.extensions["settings"], "SMTP_URL", SecretStr(f"smtp://127.0.0.1:{port}"))
    send_mail(mail_id)
    resend_due_mails()
    assert work() == 0
    row(LIFT_WAITS)
    db.session.rollback()  # So that the time of the next statement is that of the next message.
    with smtp_server(SmtpServer(port=port)) as server:
        resend_due_mails()
        assert work() == 1
        assert len(server.mails) == 1


def test_what_waits_on_the_queue_is_not_sent_again(context: Flask, work: Callable[[], int]) -> None:
    message = add_mail("ada@example.org", "reset", VALUES)
    db.session.commit()
    send([message])
    resend_due_mails()
    assert work() == 1


def test_a_mail_that_kills_its_worker_is_taken_up_after_its_lease_and_parked_in_the_end(
    mail_id: str, mail_server: SmtpServer, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(outbox, "deliver", die)
    for attempt in range(1, 6):
        with pytest.raises(SystemExit):
            send_mail(mail_id)
        send_mail(mail_id)
        state = row(STATE)
        assert (state.status, state.attempts) == ("queued", attempt)
        assert 170 <= state.wait <= 180
        row(LIFT_WAITS)
    send_mail(mail_id)
    state = row(STATE)
    assert (state.status, state.values) == ("failed", {})
    assert "never came to an end" in state.error


def test_an_outcome_counts_only_for_the_claim_that_it_is_of(
    mail_id: str, mail_server: SmtpServer, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claimed_anew(*_: object) -> None:
        row("UPDATE mails SET attempts = 2")

    monkeypatch.setattr(outbox, "deliver", claimed_anew)
    send_mail(mail_id)
    assert row(STATE).status == "queued"


def test_a_fault_of_our_own_is_tried_again_and_told_without_its_values(
    mail_id: str, row: Row, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(outbox, "deliver", fail)
    send_mail(mail_id)
    assert row(STATE).error == "It failed for a reason inside the server; see its logs."
    assert "out of luck" in "".join(log)
    assert "secret-token" not in "".join(log)


@pytest.mark.parametrize("address", ["no-address", "a@b@example.org", "ada@example.org\r\nBcc: eve@example.org", ""])
def test_an_address_that_is_none_ends_it(context: Flask, mail_server: SmtpServer, row: Row, address: str) -> None:
    message = add_mail(address, "reset", VALUES)
    db.session.commit()
    send_mail(message.arguments["mail_id"])
    state = row(STATE)
    assert state.status == "failed"
    assert state.error.startswith("The address is none")
    assert mail_server.commands == []


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("unknown", VALUES),
        ("reset", {"username": "ada"}),
        ("reset", {**VALUES, "more": "x"}),
        ("invitation", VALUES),
        ("digest", {**DIGEST, "new": [{"id": "7"}]}),
        ("digest", {**DIGEST, "more": []}),
    ],
)
def test_a_mail_without_a_template_or_with_other_values_is_refused_at_once(
    context: Flask, template: str, values: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=template):
        add_mail("ada@example.org", template, values)


def test_mails_are_forgotten_after_a_month(context: Flask, row: Row) -> None:
    for _ in range(2):
        add_mail("ada@example.org", "reset", VALUES)
    db.session.commit()
    row("UPDATE mails SET created_at = now() - interval '31 days' WHERE id = (SELECT id FROM mails LIMIT 1)")
    purge_mails()
    assert row("SELECT count(*) FROM mails")[0] == 1


def test_what_is_due_is_found_by_an_index(context: Flask, row: Row) -> None:
    row("""INSERT INTO mails (id, to_address, template, language, values, status)
           SELECT gen_random_uuid(), '', 'reset', 'en', '{}', 'sent' FROM generate_series(1, 5000)""")
    row("ANALYZE mails")
    plan = row("EXPLAIN (FORMAT JSON) SELECT id FROM mails WHERE status = 'queued' AND due_at <= now() ORDER BY due_at")
    assert "ix_mails_due" in str(plan[0])
