"""Mail on request: how much a mailbox and a domain get that did not ask (R-TRUST 5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from backend.extensions import db
from backend.mail.addresses import mailbox
from backend.mail.jobs import resend_due_mails, send_mail
from backend.mail.service import add_mail
from config import Settings
from tests.mail.reading import LIFT_WAITS, html, plain
from tests.mail.smtp_server import SmtpServer
from tests.support.api import PASSWORD, Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
Row = Callable[..., Any]
Work = Callable[[], int]
AN_HOUR_LATER = "UPDATE mails SET started_at = started_at - interval '61 minutes', due_at = now()"
STATES = "SELECT json_object_agg(status, number) FROM (SELECT status, count(*) AS number FROM mails GROUP BY 1) AS s"


def register(api: Api, email: str, username: str) -> int:
    body = {"email": email, "username": username, "password": PASSWORD}
    return api.post("/auth/register", body).status_code


def ask(to: str, template: str = "verify", *, solicited: bool = False) -> str:
    values = {
        "verify": {"token": "t"},
        "reset": {"token": "t", "username": ""},
        "invitation": {"token": "t", "organization": "x", "inviter": "x", "role": "editor"},
    }
    message = add_mail(to, template, values[template], solicited=solicited)
    db.session.commit()
    return str(message.arguments["mail_id"])


@pytest.mark.parametrize(
    "addresses",
    [
        [f"victim+{number}@example.org" for number in range(12)],
        [f"Victim+{number}@EXAMPLE.org" for number in range(12)],
        [f"v{'.' * (number % 2)}ictim+{number}@g{'oogle' * (number % 3 == 0)}mail.com" for number in range(12)],
        [f"victim+{number}@{('bücher', 'xn--bcher-kva')[number % 2]}.example" for number in range(12)],
        [f"{'vｖ'[number % 2]}ictim+{number}@example.org" for number in range(12)],
    ],
)
def test_twelve_registrations_send_five_mails_to_a_mailbox(
    anonymous: Api, mail_server: SmtpServer, work: Work, row: Row, addresses: list[str]
) -> None:
    for number, address in enumerate(addresses):
        assert register(anonymous, address, f"https-evil-example-{number}") == 201
    work()
    assert len(mail_server.mails) == 5
    assert row(STATES)[0] == {"sent": 5, "failed": 7}
    assert row("SELECT count(*) FROM mails WHERE values = '{}'")[0] == 12
    row(LIFT_WAITS)
    with anonymous.app.app_context():
        resend_due_mails()
    work()
    assert len(mail_server.mails) == 5


def test_mails_to_unconfirmed_addresses_hold_nothing_that_was_chosen(
    anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    assert register(anonymous, "victim@example.org", "evil-example") == 201
    row("UPDATE users SET username = 'https://evil.example/prize'")
    session = anonymous.post("/auth/login", {"login": "victim@example.org", "password": PASSWORD}).json
    eve = Api(anonymous.app, session=session)
    eve.post("/auth/email/verification")
    anonymous.post("/auth/password/forgot", {"email": "victim@example.org"})
    team = eve.post("/organizations", {"name": "https://evil.example/prize"}).json["id"]
    eve.post(f"/organizations/{team}/invitations", {"email": "other@example.org", "role": "editor"})
    work()
    assert len(mail_server.mails) == 4
    for mail in mail_server.mails:
        for text in (str(mail["Subject"]), plain(mail), html(mail)):
            assert "evil" not in text
            assert "prize" not in text
            assert text.count("http://") == text.count("http://localhost:8000")
            assert "https://" not in text


def test_of_many_workers_at_once_none_passes_the_bound(context: Flask, mail_server: SmtpServer, row: Row) -> None:
    mails = [ask(f"victim+{number}@example.org") for number in range(12)]

    def work(mail_id: str) -> None:
        with context.app_context():
            send_mail(mail_id)
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, mails))
    assert len(mail_server.mails) == 5


def test_another_mailbox_does_not_wait(context: Flask, mail_server: SmtpServer) -> None:
    for number in range(7):
        send_mail(ask(f"victim+{number}@example.org"))
    send_mail(ask("victim2@example.org"))
    send_mail(ask("vic.tim@example.org"))
    assert len(mail_server.mails) == 7


def test_what_nobody_can_ask_for_again_waits_for_its_turn(context: Flask, mail_server: SmtpServer, row: Row) -> None:
    mails = [ask("victim@example.org", "invitation") for _ in range(7)]
    for mail_id in mails:
        send_mail(mail_id)
    assert len(mail_server.mails) == 5
    state = row(
        "SELECT attempts, error, round(extract(epoch FROM due_at - now())) AS wait FROM mails WHERE error <> ''"
    )
    assert state.attempts == 0
    assert state.error == "This mailbox got 5 mails within an hour. It waits."
    assert 3_500 < state.wait <= 3_600
    row(AN_HOUR_LATER)
    for mail_id in mails:
        send_mail(mail_id)
    assert len(mail_server.mails) == 7
    assert row(STATES)[0] == {"sent": 7}


def test_what_waits_for_more_than_a_day_is_given_up(context: Flask, mail_server: SmtpServer, row: Row) -> None:
    for number in range(6):
        mail_id = ask("victim@example.org", "invitation")
        if number == 5:
            row("UPDATE mails SET created_at = now() - interval '24 hours' WHERE status = 'queued'")
        send_mail(mail_id)
    assert row(STATES)[0] == {"sent": 5, "failed": 1}
    assert row("SELECT values FROM mails WHERE status = 'failed'")[0] == {}


def test_who_has_confirmed_an_address_gets_a_reset_whatever_others_had_sent(
    ada: Api, anonymous: Api, context: Flask, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row("UPDATE users SET email_verified_at = now()")
    for number in range(6):
        send_mail(ask(f"ada+{number}@example.org"))
    assert len(mail_server.mails) == 5
    anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
    work()
    assert [mail["To"] for mail in mail_server.mails][5:] == ["ada@example.org"]


def test_what_the_owner_asked_for_counts_for_the_mailbox(context: Flask, mail_server: SmtpServer) -> None:
    for _ in range(3):
        send_mail(ask("ada@example.org", "reset", solicited=True))
    for number in range(5):
        send_mail(ask(f"ada+{number}@example.org"))
    assert len(mail_server.mails) == 5


def test_a_later_try_has_its_place_already(context: Flask, mail_server: SmtpServer, row: Row) -> None:
    mail_server.replies["DATA"] = "451 later"
    first = ask("victim@example.org", "invitation")
    send_mail(first)
    del mail_server.replies["DATA"]
    for _ in range(5):
        send_mail(ask("victim@example.org", "invitation"))
    assert len(mail_server.mails) == 4
    row("UPDATE mails SET due_at = now() WHERE attempts = 1")
    send_mail(first)
    assert len(mail_server.mails) == 5


def test_a_domain_gets_so_many_and_the_rest_waits(
    context: Flask, mail_server: SmtpServer, row: Row, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAILS_PER_HOUR_TO_DOMAIN", 3)
    mails = [ask(f"person{number}@corp.example") for number in range(5)]
    for mail_id in [*mails, ask("person@other.example")]:
        send_mail(mail_id)
    assert [mail["To"].rpartition("@")[2] for mail in mail_server.mails] == ["corp.example"] * 3 + ["other.example"]
    error = row("SELECT error FROM mails WHERE error <> ''")[0]
    assert error == "The domain corp.example got 3 mails within an hour to unconfirmed addresses. It waits."
    send_mail(ask("ada@corp.example", "reset", solicited=True))
    assert mail_server.mails[-1]["To"] == "ada@corp.example"
    row(AN_HOUR_LATER)
    for mail_id in mails:
        send_mail(mail_id)
    assert row(STATES)[0] == {"sent": 7}


def test_confirmed_people_do_not_fill_their_domain(
    context: Flask, mail_server: SmtpServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAILS_PER_HOUR_TO_DOMAIN", 2)
    for number in range(4):
        send_mail(ask(f"person{number}@corp.example", "reset", solicited=True))
    send_mail(ask("new@corp.example"))
    assert len(mail_server.mails) == 5


def test_large_providers_have_a_larger_bound(
    context: Flask, mail_server: SmtpServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAILS_PER_HOUR_TO_DOMAIN", 1)
    for number in range(22):
        send_mail(ask(f"person{number}@gmail.com"))
    assert len(mail_server.mails) == 20


def test_asking_answers_the_same_for_a_mailbox_that_has_had_enough(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, sql: SqlCounter
) -> None:
    seen = []
    for _ in range(3):
        for email in ("ada@example.org", "nobody@example.org"):
            sql.clear()
            answer = anonymous.post("/auth/password/forgot", {"email": email})
            seen.append((answer.status_code, answer.text, len(sql.statements)))
        with ada.app.app_context():
            for number in range(6):
                send_mail(ask(f"ada+{number}@example.org"))
            db.session.remove()
    assert set(seen) == {(202, seen[0][1], 4)}


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ADA+x+y@Example.ORG", "ada@example.org"),
        ("+x@example.org", "+x@example.org"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("a.da@example.org", "a.da@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ａda@example.org", "ada@example.org"),
        ("", ""),
        ("none", "none"),
        ("a@" + "b" * 70, "a@" + "b" * 70),
    ],
)
def test_the_addresses_of_a_mailbox_are_one(address: str, home: str) -> None:
    assert mailbox(address) == home


def test_what_was_sent_is_counted_by_an_index(context: Flask, row: Row) -> None:
    row("""INSERT INTO mails (id, to_address, mailbox, domain, template, language, values, status, started_at)
           SELECT gen_random_uuid(), '', n || '@x', n || 'x', 'reset', 'en', '{}', 'sent', now()
             FROM generate_series(1, 5000) AS n""")
    row("ANALYZE mails")
    for column in ("mailbox", "domain"):
        plan = row(f"""EXPLAIN (FORMAT JSON) SELECT started_at FROM mails WHERE {column} = '7x'
                       AND started_at > now() - interval '1 hour' ORDER BY started_at DESC OFFSET 4 LIMIT 1""")
        assert f"ix_mails_{column}_started_at" in str(plan[0])
