"""From a template to a message: both alternatives, every language, nothing injected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import cast
from uuid import UUID

import pytest
from flask import Flask

from backend.mail.faults import PermanentFailure
from backend.mail.languages import LANGUAGES
from backend.mail.message import FOLDER, TEMPLATES, OutgoingMail, compose
from tests.mail.reading import html, link, plain

pytestmark = pytest.mark.unit

VALUES = {"token": "a+b/c&d=e", "organization": "Acme", "inviter": "ada", "role": "editor"}
INVITATION = OutgoingMail(
    id=UUID(int=7),
    to_address="bob@example.org",
    template="invitation",
    language="en",
    values=VALUES,
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    attempt=1,
)


@pytest.fixture(autouse=True)
def within_the_application(migrated_app: Flask) -> object:
    """Settings come from the application."""
    with migrated_app.app_context():
        yield


def received(mail: OutgoingMail) -> EmailMessage:
    """The message as it arrives."""
    return cast(EmailMessage, message_from_bytes(compose(mail).as_bytes(policy=SMTP), policy=default))


def test_a_message_has_all_headers_that_servers_look_for() -> None:
    mail = received(INVITATION)
    assert mail["From"] == "fuze@localhost"
    assert mail["To"] == "bob@example.org"
    assert mail["Subject"] == "You are invited to an organization on Fuze"
    assert mail["Date"].datetime == INVITATION.created_at
    assert mail["Message-ID"] == f"<{INVITATION.id}@localhost>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_link_carries_the_token_whatever_is_in_it() -> None:
    mail = received(INVITATION)
    assert link(mail) == ("/accept-invitation", VALUES["token"])
    assert "token=a%2Bb%2Fc%26d%3De" in html(mail)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_there_in_every_language(template: str, language: str) -> None:
    declared = TEMPLATES[template]
    lists = {name: [dict.fromkeys(names, "Żółć <b>")] for name, names in declared.lists.items()}
    values = {**dict.fromkeys(declared.values, "Żółć <b>"), **lists}
    assert declared.takes(values)
    mail = received(replace(INVITATION, template=template, language=language, values=values))
    assert mail["Subject"]
    assert "\n" not in mail["Subject"]
    assert "<b>" not in html(mail)
    told = declared.values - {"token"}
    assert ("Żółć &lt;b&gt;" in html(mail)) == ("Żółć <b>" in plain(mail)) == bool(told)
    assert ("token=%C5%BB" in html(mail)) == ("token" in declared.values)
    assert ("List-Unsubscribe" in mail) == ("List-Unsubscribe-Post" in mail) == bool(declared.unsubscribe)
    assert "localhost:8000" in plain(mail)
    assert not plain(mail).startswith("\n")


def test_no_language_lacks_a_template() -> None:
    names = {f"{template}.{kind}" for template in TEMPLATES for kind in ("txt", "html")}
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(LANGUAGES)
    for language in LANGUAGES:
        assert {path.name for path in (FOLDER / language).iterdir()} == names


@pytest.mark.parametrize("evil", ["x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org\n\nbody", "x\u2028Bcc: eve@x"])
def test_a_name_makes_no_header_and_no_line(evil: str) -> None:
    values = {**VALUES, "organization": evil, "inviter": evil}
    mail = received(replace(INVITATION, template="invitation_named", values=values))
    assert mail["Bcc"] is None
    assert plain(mail).count("Bcc: eve@") == 2
    assert not any(line.startswith(("Bcc", "\u2028")) for line in plain(mail).splitlines())
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version",
        "Content-Type",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.org\nBcc: eve@example.org",
        "bob@example.org, eve@example.org",
        "Bob <bob@example.org>",
        "a b@example.org",
        "bob@" + "c" * 64,
    ],
)
def test_an_address_is_one_address(address: str) -> None:
    with pytest.raises(PermanentFailure):
        compose(replace(INVITATION, to_address=address))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("bob@host.local", None),
        ("root@localhost", None),
        (f"{'b' * 64}@{'.'.join(['c' * 59] * 3)}.example", None),
        ("o'neil+tag@example.org", None),
    ],
)
def test_unusual_addresses_arrive_as_they_are(address: str, written: str | None) -> None:
    [to] = received(replace(INVITATION, to_address=address))["To"].addresses
    assert to.addr_spec == (written or address)
