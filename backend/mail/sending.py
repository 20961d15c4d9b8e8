"""Delivery of messages: over SMTP, or into a file without a mail server."""

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

# Time-out of each reply of the server, and of the whole session.
WAIT_SECONDS = 10
SEND_SECONDS = 60


@dataclass(frozen=True)
class MailServer:
    """Mail server of SMTP_URL. `tls` is implicit TLS; otherwise STARTTLS is used where the server offers it."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """Parse `smtp://` or `smtps://`, user and password percent-encoded; ports 25, 587 (with a user) and 465."""
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        usual = 465 if tls else 587 if user else 25
        return cls(parts.hostname or "", parts.port or usual, tls, user, password)

    @property
    def is_this_machine(self) -> bool:
        """Tell whether the connection stays on this machine."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def deliver(message: EmailMessage, name: str) -> None:
    """Send a message to the server of SMTP_URL, or write it to `<data-dir>/mail/<name>.eml`. Within about a minute.

    Raises:
        TransientFailure: a later try may succeed.
        PermanentFailure: the server refused this mail for good.
    """
    settings = current_settings()
    if url := settings.SMTP_URL.get_secret_value():
        send_by_smtp(message, MailServer.of(url))
    else:
        write_file(message, settings.FUZE_DATA_DIR / "mail" / f"{name}.eml")


def send_by_smtp(message: EmailMessage, server: MailServer) -> None:
    """Send a message to a mail server.

    Raises:
        TransientFailure: the server is away, too slow, not trusted, refuses the login, or replies 4xx.
        PermanentFailure: it refused the sender, the recipient or the message (5xx), or the message is not safe to send.
    """
    content = wire_bytes(message)
    try:
        smtp = _connect(server)
    except (OSError, ValueError) as error:
        raise TransientFailure(f"The mail server could not be used: {_describe(error)}") from None
    try:
        # Without this extension bytes above 127 are sent all the same, as other clients do.
        options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
        if is_international(message):
            if not smtp.has_extn("smtputf8"):
                raise PermanentFailure("The mail server takes no addresses with letters beyond ASCII.")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        [sender], [recipient] = (addresses(message, name) for name in ("From", "To"))
        smtp.sendmail(sender, [recipient], content, mail_options=options)
    except (OSError, ValueError) as error:
        if _is_permanent(error):
            raise PermanentFailure(f"The mail server refused: {_describe(error)}") from None
        raise TransientFailure(f"The mail server did not take it: {_describe(error)}") from None
    finally:
        _quit(smtp)


def write_file(message: EmailMessage, path: Path) -> None:
    """Write a message to a private file, atomically.

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


class _DeadlineSmtp:
    """Mix-in that disconnects when the session passes its deadline, however steadily the server replies."""

    sock: socket.socket | None
    _timer: threading.Timer | None = None

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """Start the timer, and connect."""
        self._timer = threading.Timer(SEND_SECONDS, self._disconnect)
        self._timer.daemon = True
        self._timer.start()
        try:
            return super().connect(*arguments, **options)  # type: ignore[misc]
        except OSError:
            self._timer.cancel()
            raise

    def close(self) -> None:
        """Stop the timer, and close."""
        if self._timer is not None:
            self._timer.cancel()
        super().close()  # type: ignore[misc]

    def _disconnect(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # `SSLSocket.shutdown` would drop the TLS object that another thread reads from.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _Smtp(_DeadlineSmtp, smtplib.SMTP):
    pass


class _SmtpOverTls(_DeadlineSmtp, smtplib.SMTP_SSL):
    pass


def _connect(server: MailServer) -> smtplib.SMTP:
    context = _tls_context(server)
    if server.tls:
        smtp: smtplib.SMTP = _SmtpOverTls(server.host, server.port, timeout=WAIT_SECONDS, context=context)
    else:
        smtp = _Smtp(server.host, server.port, timeout=WAIT_SECONDS)
    try:
        _log_in(smtp, server, context)
    except BaseException:
        _quit(smtp)
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
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
        # Local mail servers have certificates for another name, or self-signed ones.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _quit(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except OSError as error:
        # The mail is accepted or refused by now; QUIT changes nothing.
        logger.debug("mail server did not reply to QUIT: {}", type(error).__name__)
    finally:
        smtp.close()


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, ValueError):
        return True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _reply(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply(error.smtp_code, error.smtp_error)
    # smtplib reports a time-out as a lost connection.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "it took too long to answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _reply(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(text.replace(chr(0), ' ').split())[:300]}"
