"""No user text is parsed as a header, and no body but ours leaves (R-TRUST 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from flask import Flask

from backend.extensions import db
from backend.mail.addresses import plain_address
from backend.mail.faults import PermanentFailure
from backend.mail.jobs import send_mail
from backend.mail.languages import LANGUAGES
from backend.mail.message import FOLDER
from backend.mail.service import add_mail
from backend.mail.wire import wire_bytes
from tests.mail.payloads import DOMAINS, ENCODED_WORDS, LOCAL_PARTS, NAMES
from tests.mail.reading import html, link, plain
from tests.mail.smtp_server import SmtpServer
from tests.support.api import PASSWORD, Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
Work = Callable[[], int]
Row = Callable[..., Any]
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
VERIFY = "UPDATE users SET email_verified_at = now()"
HARMLESS = "Harmless"
TOKEN = re.compile(r"token=\S+")


def assert_ours(server: SmtpServer, to: str, subject: str) -> EmailMessage:
    """One mail came, to one address, with our headers and no others, in lines that everybody reads alike."""
    [raw], [envelope] = server.raw, server.envelopes
    head = raw.partition(b"\r\n\r\n")[0]
    begun = [line for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    assert [line.partition(b":")[0].decode() for line in begun] == HEADERS
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert envelope.rcpt_tos == [to]
    assert envelope.mail_from == "fuze@localhost"
    [mail] = server.mails
    assert mail.keys() == HEADERS
    assert (mail["To"], mail["From"], mail["Subject"]) == (to, "fuze@localhost", subject)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    return mail


def assert_same_lines(mail: EmailMessage, model: EmailMessage) -> None:
    """The text is that of the model but for the lines in which that has its name."""
    for text in (plain, html):
        theirs, ours = ([TOKEN.sub("", line) for line in text(each).split("\n")] for each in (mail, model))
        assert len(theirs) == len(ours)
        assert [line for line, own in zip(theirs, ours, strict=True) if HARMLESS not in own] == [
            own for own in ours if HARMLESS not in own
        ]
    assert link(mail)[0] == link(model)[0]


def invitation_of(ada: Api, name: str, server: SmtpServer, work: Work, email: str) -> bool:
    """Ada invites somebody to an organization of this name; whether there may be one."""
    made = ada.post("/organizations", {"name": name})
    if made.status_code == 422:
        return False
    invited = ada.post(f"/organizations/{made.json['id']}/invitations", {"email": email, "role": "editor"})
    assert invited.status_code == 201
    server.raw.clear()
    server.envelopes.clear()
    work()
    return True


@pytest.mark.parametrize("name", NAMES)
def test_whatever_an_organization_is_called_the_invitation_is_ours(
    ada: Api, bob: Api, mail_server: SmtpServer, work: Work, row: Row, name: str
) -> None:
    row(VERIFY)
    subject = "You are invited to an organization on Fuze"
    assert invitation_of(ada, HARMLESS, mail_server, work, "bob@example.org")
    model = assert_ours(mail_server, "bob@example.org", subject)
    assert HARMLESS in plain(model)
    if invitation_of(ada, name, mail_server, work, "bob@example.org"):
        assert_same_lines(assert_ours(mail_server, "bob@example.org", subject), model)


@pytest.mark.parametrize("name", [NAMES[0], NAMES[4], "Click https://evil.example"])
def test_an_invitation_to_an_address_that_nobody_confirmed_names_nobody(
    ada: Api, bob: Api, mail_server: SmtpServer, work: Work, row: Row, name: str
) -> None:
    row("UPDATE users SET username = 'https://evil.example/' || username")
    for email in ("bob@example.org", "new@example.org"):
        assert invitation_of(ada, name, mail_server, work, email)
        mail = assert_ours(mail_server, email, "You are invited to an organization on Fuze")
        for text in (plain(mail), html(mail)):
            assert "evil.example" not in text
            assert "Bcc" not in text


@pytest.mark.parametrize("name", NAMES)
def test_whatever_somebody_is_called_their_mails_are_ours(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row, name: str
) -> None:
    """Also where an earlier version let in what would be refused today: the row is written as it is."""
    row(VERIFY)
    mails = []
    for username in (HARMLESS, name.replace("\x00", "")):
        row("UPDATE users SET username = :name", name=username)
        anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
        mail_server.raw.clear()
        mail_server.envelopes.clear()
        work()
        mails.append(assert_ours(mail_server, "ada@example.org", "Choose a new password for Fuze"))
    assert_same_lines(mails[1], mails[0])


@pytest.mark.parametrize(
    "address",
    [*(f"{local}@example.org" for local in LOCAL_PARTS), *(f"ada@{domain}" for domain in DOMAINS)],
)
def test_an_address_that_a_reader_could_take_for_another_is_refused_and_never_written_to(
    ada: Api, anonymous: Api, context: Flask, mail_server: SmtpServer, row: Row, address: str
) -> None:
    account = {"email": address, "username": "somebody", "password": PASSWORD}
    assert list(field_errors(anonymous.post("/auth/register", account))) == ["body.email"]
    change = {"email": address, "current_password": PASSWORD}
    assert list(field_errors(ada.patch("/profile", change))) == ["body.email"]
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    invitation = {"email": address, "role": "viewer"}
    assert list(field_errors(ada.post(f"/organizations/{team}/invitations", invitation))) == ["body.email"]
    assert plain_address(address) is None
    if "\x00" not in address:
        # A row of an earlier version.
        message = add_mail(address, "reset", {"username": "ada", "token": "t"})
        db.session.commit()
        send_mail(message.arguments["mail_id"])
        state = row("SELECT status, error FROM mails")
        assert state.status == "failed"
        assert state.error.startswith("The address is none")
    assert mail_server.commands == []


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org",
        "o'neil+tag@example.org",
        "a.b-c_d@example.org",
        "!#$%&'*+/=^_`{|}~@example.org",
        "=utf-8?q=41=@example.org",
        "jörg@example.org",
        "ada@bücher.example",
        "ada@xn--bcher-kva.example",
        "ada@localhost",
        "ada@host.local",
        f"{'x' * 64}@{'.'.join(['c' * 60] * 3)}",
    ],
)
def test_plain_addresses_get_their_mail(
    context: Flask, mail_server: SmtpServer, anonymous: Api, work: Work, address: str
) -> None:
    account = {"email": address, "username": "somebody", "password": PASSWORD}
    assert anonymous.post("/auth/register", account).status_code == 201
    work()
    to = address.replace("bücher", "xn--bcher-kva")
    mail = assert_ours(mail_server, to, "Confirm your mail address for Fuze")
    assert "somebody" not in plain(mail).replace("somebody made", "").replace("Somebody else", "")


@pytest.mark.parametrize("word", ENCODED_WORDS)
def test_whatever_the_email_package_makes_of_a_word_no_other_header_leaves(word: str) -> None:
    message, content = EmailMessage(policy=SMTP), b""
    message["From"], message["To"] = "fuze@localhost", "bob@example.org"
    message.set_content("Hello.")
    with suppress(PermanentFailure, ValueError, LookupError):
        message["Subject"] = word
        content = wire_bytes(message)
    head = content.partition(b"\r\n\r\n")[0].lower()
    names = {line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")}
    ours = {b"from", b"to", b"subject", b"mime-version", b"content-type", b"content-transfer-encoding"}
    assert names == (ours if content else {b""})


def test_the_check_stops_what_the_email_package_would_let_through() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "fuze@localhost", "bob@example.org"
    message["Subject"] = ENCODED_WORDS[0]
    message.set_content("Hello.")
    with pytest.raises(PermanentFailure):
        wire_bytes(message)


@pytest.mark.parametrize("text", ["a\x00b", "x" * 999])
def test_a_body_that_servers_read_differently_does_not_leave(text: str) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "fuze@localhost", "bob@example.org"
    message.set_content(text, cte="7bit" if "\x00" in text else "8bit")
    message.replace_header("Content-Transfer-Encoding", "7bit")
    with pytest.raises(PermanentFailure):
        wire_bytes(message)


def test_no_subject_holds_a_value() -> None:
    templates = sorted(path for language in LANGUAGES for path in (FOLDER / language).glob("*.txt"))
    assert templates
    assert not [path for path in templates if "{" in path.read_text().partition("\n")[0]]
