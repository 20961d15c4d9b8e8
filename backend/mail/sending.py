"""Out of the house: to a mail server, or into a file where there is none."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import smtplib
import socket
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from loguru import logger

from backend.extensions import current_settings
from backend.mail.faults import PermanentFailure, TransientFailure
from backend.mail.wire import addresses, is_international, wire_bytes

# For each word of the server, and for the whole conversation.
WAIT_SECONDS = 10
SEND_SECONDS = 60


@dataclass(frozen=True)
class MailServer:
    """What SMTP_URL says. `tls` is TLS from the first byte; otherwise it is begun when the server offers it."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """Read `smtp://` or `smtps://`, user and password percent-encoded; ports 25, 587 (with a user) and 465."""
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        usual = 465 if tls else 587 if user else 25
        return cls(parts.hostname or "", parts.port or usual, tls, user, password)

    @property
    def is_this_machine(self) -> bool:
        """Whether nobody can listen in between."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def deliver(message: EmailMessage, name: str) -> None:
    """Hand a message to the server of SMTP_URL, or write it to `<data-dir>/mail/<name>.eml`. Within about a minute.

    Raises:
        TransientFailure: trying again may help.
        PermanentFailure: the server refused this mail for good.
    """
    settings = current_settings()
    if url := settings.SMTP_URL.get_secret_value():
        send_by_smtp(message, MailServer.of(url))
    else:
        write_file(message, settings.FUZE_DATA_DIR / "mail" / f"{name}.eml")


def send_by_smtp(message: EmailMessage, server: MailServer) -> None:
    """Hand a message to a mail server.

    Raises:
        TransientFailure: the server is away, too slow, not to be trusted, lets us not in, or asks for patience (4xx).
        PermanentFailure: it refused the sender, the recipient or the message (5xx), or the message is not fit to leave.
    """
    content = wire_bytes(message)
    try:
        smtp = _connect(server)
    except (OSError, ValueError) as error:
        raise TransientFailure(f"The mail server could not be used: {_in_words(error)}") from None
    try:
        # Without this extension bytes above 127 are sent all the same, as everybody does.
        options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
        if is_international(message):
            if not smtp.has_extn("smtputf8"):
                raise PermanentFailure("The mail server takes no addresses with letters beyond ASCII.")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        [sender], [recipient] = (addresses(message, name) for name in ("From", "To"))
        smtp.sendmail(sender, [recipient], content, mail_options=options)
    except (OSError, ValueError) as error:
        if _is_final(error):
            raise PermanentFailure(f"The mail server refused: {_in_words(error)}") from None
        raise TransientFailure(f"The mail server did not take it: {_in_words(error)}") from None
    finally:
        _leave(smtp)


def write_file(message: EmailMessage, path: Path) -> None:
    """Write a message as a file that only its owner reads, whole or not at all.

    Raises:
        TransientFailure: the disk is full, or the folder cannot be written to.
    """
    content = wire_bytes(message)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(path, content)
    except OSError as error:
        raise TransientFailure(f"The mail could not be written to a file: {error.strerror}") from None


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise


class _Punctual:
    """Hangs up when the conversation takes too long as a whole, however steadily the server drips."""

    sock: socket.socket | None
    _watch: threading.Timer | None = None

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """Start the clock, and connect."""
        self._watch = threading.Timer(SEND_SECONDS, self._hang_up)
        self._watch.daemon = True
        self._watch.start()
        try:
            return super().connect(*arguments, **options)  # type: ignore[misc]
        except OSError:
            self._watch.cancel()
            raise

    def close(self) -> None:
        """Stop the clock, and close."""
        if self._watch is not None:
            self._watch.cancel()
        super().close()  # type: ignore[misc]

    def _hang_up(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # The plain socket's own: that of TLS would take away what another thread is reading from.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _Smtp(_Punctual, smtplib.SMTP):
    pass


class _SmtpOverTls(_Punctual, smtplib.SMTP_SSL):
    pass


def _connect(server: MailServer) -> smtplib.SMTP:
    context = _tls_context(server)
    if server.tls:
        smtp: smtplib.SMTP = _SmtpOverTls(server.host, server.port, timeout=WAIT_SECONDS, context=context)
    else:
        smtp = _Smtp(server.host, server.port, timeout=WAIT_SECONDS)
    try:
        _introduce(smtp, server, context)
    except BaseException:
        _leave(smtp)
        raise
    return smtp


def _introduce(smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    smtp.ehlo_or_helo_if_needed()
    encrypted = server.tls
    if not encrypted and smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
        encrypted = True
    if server.user:
        if not (encrypted or server.is_this_machine):
            raise ValueError("it offers no encryption, and the password is not sent without")
        smtp.login(server.user, server.password)


def _tls_context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.is_this_machine:
        # Mail servers answer their own machine with a certificate for another name, or one made by themselves.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _leave(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except OSError as error:
        # The server has taken the mail by now or refused it: how it says goodbye changes nothing.
        logger.debug("mail server left without a goodbye: {}", type(error).__name__)
    finally:
        smtp.close()


def _is_final(error: Exception) -> bool:
    if isinstance(error, ValueError):
        return True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return _reply(code, said)
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply(error.smtp_code, error.smtp_error)
    # smtplib tells of a time-out as of a lost connection.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "it took too long to answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _reply(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.replace(chr(0), ' ').split())[:300]}"
