"""Speaking SMTP: encryption, passwords, time-outs; and files where there is no server."""

from __future__ import annotations

import os
import ssl
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from backend.mail import sending
from backend.mail.faults import PermanentFailure, TransientFailure
from backend.mail.sending import MailServer, send_by_smtp, write_file
from tests.capture.test_fetch_tls import certify, serving
from tests.mail.smtp_server import ENDLESS, SmtpServer, smtp_server

pytestmark = pytest.mark.unit


def message(to: str = "bob@example.org", text: str = "Hello.") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Fuze <fuze@example.org>"
    mail["To"] = to
    mail.set_content(text, cte="7bit" if text.isascii() else "8bit")
    return mail


def send(server: SmtpServer, mail: EmailMessage | None = None) -> None:
    send_by_smtp(mail or message(), MailServer.of(server.url))


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, False, "", "")),
        ("smtp://a@mail.example.org", ("mail.example.org", 587, False, "a", "")),
        (
            "smtp://a%40b.example:p%3A%2F%40w@mail.example.org:2525",
            ("mail.example.org", 2525, False, "a@b.example", "p:/@w"),
        ),
        ("smtps://a:b@mail.example.org", ("mail.example.org", 465, True, "a", "b")),
        ("smtp://[::1]:25", ("::1", 25, False, "", "")),
    ],
)
def test_the_address_of_a_server_is_read(url: str, read: tuple[str, int, bool, str, str]) -> None:
    found = MailServer.of(url)
    assert (found.host, found.port, found.tls, found.user, found.password) == read
    assert not found.password or found.password not in repr(found)


def test_a_mail_is_handed_over_with_its_envelope() -> None:
    with smtp_server() as server:
        send(server, message(text="Grüße\n.\nzwei"))
        [envelope] = server.envelopes
        assert (envelope.mail_from, envelope.rcpt_tos) == ("fuze@example.org", ["bob@example.org"])
        assert "BODY=8BITMIME" in envelope.mail_options
        assert server.mails[0].get_content().splitlines() == ["Grüße", ".", "zwei"]


def test_a_server_without_extensions_takes_it_too() -> None:
    with smtp_server(SmtpServer(replies={"EHLO": "502 what"})) as server:
        send(server)
        assert len(server.mails) == 1
        assert server.commands[:2] == ["EHLO", "HELO"]


def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    mail = message("jörg@example.org")
    with smtp_server() as server:
        send(server, mail)
        assert "To: jörg@example.org\r\n" in server.raw[0].decode()
    with smtp_server(SmtpServer(utf8=False)) as server, pytest.raises(PermanentFailure, match="ASCII"):
        send(server, mail)


def test_a_mail_counts_as_sent_however_the_server_says_goodbye() -> None:
    for goodbye in ("drop", "421 tired", "500 what"):
        with smtp_server(SmtpServer(replies={"QUIT": goodbye})) as server:
            send(server)
            assert len(server.mails) == 1


def test_encryption_is_begun_where_it_is_offered(tmp_path: Path) -> None:
    context = serving(certify(tmp_path, "mail.example"))
    with smtp_server(SmtpServer(tls=context, users={"ada": "pa:ss/w@rd"})) as server:
        send_by_smtp(message(), MailServer.of(f"smtp://ada:pa%3Ass%2Fw%40rd@127.0.0.1:{server.port}"))
        assert server.was_encrypted
        assert len(server.mails) == 1
        assert server.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def test_encryption_from_the_first_byte(tmp_path: Path) -> None:
    script = SmtpServer(tls=serving(certify(tmp_path, "mail.example")), tls_first=True)
    with smtp_server(script) as server:
        send_by_smtp(message(), MailServer.of(f"smtps://127.0.0.1:{server.port}"))
        assert server.was_encrypted
        assert len(server.mails) == 1


def test_an_encrypted_server_that_drips_is_given_up_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.5)
    script = SmtpServer(tls=serving(certify(tmp_path, "mail.example")), tls_first=True, replies={"RCPT": "drip"})
    with smtp_server(script) as server:
        begun = time.monotonic()
        with pytest.raises(TransientFailure):
            send_by_smtp(message(), MailServer.of(f"smtps://127.0.0.1:{server.port}"))
        assert time.monotonic() - begun < ENDLESS / 2


def test_a_certificate_for_somebody_else_is_refused_beyond_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MailServer, "is_this_machine", property(lambda _: False))
    with smtp_server(SmtpServer(tls=serving(certify(tmp_path, "mail.example")))) as server:
        with pytest.raises(TransientFailure, match="certificate"):
            send(server)
        assert server.mails == []


def test_a_certificate_is_checked_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certify(tmp_path, "localhost")
    monkeypatch.setattr(MailServer, "is_this_machine", property(lambda _: False))
    monkeypatch.setattr(sending, "_tls_context", lambda _: ssl.create_default_context(cafile=str(certificate)))
    with smtp_server(SmtpServer(tls=serving(certificate))) as server:
        send_by_smtp(message(), MailServer.of(f"smtp://localhost:{server.port}"))
        with pytest.raises(TransientFailure):
            send_by_smtp(message(), MailServer.of(f"smtp://127.0.0.1:{server.port}"))
        assert len(server.mails) == 1


def test_a_password_never_leaves_this_machine_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server(SmtpServer(users={"ada": "secret"})) as server:
        login = MailServer.of(f"smtp://ada:secret@127.0.0.1:{server.port}")
        send_by_smtp(message(), login)
        monkeypatch.setattr(MailServer, "is_this_machine", property(lambda _: False))
        with pytest.raises(TransientFailure, match="no encryption"):
            send_by_smtp(message(), login)
        assert len(server.mails) == 1
        assert server.commands.count("AUTH") == 1


def test_a_wrong_password_is_worth_another_try_and_is_not_shown() -> None:
    with (
        smtp_server(SmtpServer(users={"ada": "secret"})) as server,
        pytest.raises(TransientFailure, match="535") as refused,
    ):
        send_by_smtp(message(), MailServer.of(f"smtp://ada:wr0ng@127.0.0.1:{server.port}"))
    assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize("word", ["CONNECT", "EHLO", "RCPT", "END"])
def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(sending, "WAIT_SECONDS", 0.3)
    with smtp_server(SmtpServer(replies={word: "silence"})) as server:
        begun = time.monotonic()
        with pytest.raises(TransientFailure, match="took too long"):
            send(server)
        assert time.monotonic() - begun < ENDLESS / 2


@pytest.mark.parametrize("word", ["CONNECT", "EHLO", "RCPT", "END"])
def test_a_server_that_drips_is_given_up_as_a_whole(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.5)
    with smtp_server(SmtpServer(replies={word: "drip"})) as server:
        begun = time.monotonic()
        with pytest.raises(TransientFailure):
            send(server)
        assert time.monotonic() - begun < ENDLESS / 2


def test_a_port_that_speaks_something_else_is_a_reason_and_no_crash() -> None:
    with (
        smtp_server(SmtpServer(replies={"CONNECT": "HTTP/1.1 400 Bad Request"})) as server,
        pytest.raises(TransientFailure),
    ):
        send(server)


def test_tls_from_the_first_byte_against_a_plain_server_is_a_reason_and_no_crash() -> None:
    with smtp_server() as server, pytest.raises(TransientFailure):
        send_by_smtp(message(), MailServer.of(f"smtps://127.0.0.1:{server.port}"))


def test_a_folder_that_cannot_be_written_to_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(TransientFailure):
        write_file(message(), tmp_path / "mail" / "1.eml")


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mail" / "1.eml"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(TransientFailure, match="No space left"):
            write_file(message(), path)
    assert list(path.parent.iterdir()) == []
    write_file(message("jörg@example.org"), path)
    write_file(message("jörg@example.org"), path)
    assert [found.name for found in path.parent.iterdir()] == ["1.eml"]
    assert "jörg@example.org" in path.read_text()
