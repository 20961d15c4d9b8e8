"""Composition of messages (RFC 5322) from templates and their values."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from backend.extensions import current_settings
from backend.mail.addresses import plain_address
from backend.mail.faults import PermanentFailure
from config import sender_of

FOLDER = Path(__file__).parent / "templates"
# Longest name of a person or organization in a mail, in characters.
LONGEST_NAME = 100


@dataclass(frozen=True)
class Template:
    """Template of a mail: the path of its link below FRONTEND_URL, and the names of its values.

    Subjects hold no value: the `email` package decodes encoded words (RFC 2047) in every header. While a limit of its
    mailbox or domain is reached (`bounds.py`) a mail waits for at most `patience` after its creation; with
    `asks_again` it does not wait for a mailbox, as the person can request another.
    """

    path: str
    values: Set[str]
    patience: timedelta = timedelta(days=1)
    asks_again: bool = False


TEMPLATES = {
    "verify": Template("/verify-email", {"token"}, timedelta(hours=12), asks_again=True),
    "reset": Template("/reset-password", {"token", "username"}, timedelta(minutes=30), asks_again=True),
    # For unconfirmed addresses: it shows no value.
    "invitation": Template("/accept-invitation", {"token", "organization", "inviter", "role"}),
    "invitation_named": Template("/accept-invitation", {"token", "organization", "inviter", "role"}),
    # Notices about the account: they hold no text of any user.
    "password_changed": Template("", {"how", "tokens", "provider", "ended"}),
    "email_changed": Template("", set()),
    "token_created": Template("", set()),
    "new_sign_in": Template("", {"address", "time"}),
}


@dataclass(frozen=True)
class OutgoingMail:
    """Mail that a worker has claimed. `attempt` is the fencing token of the claim.

    Unless it is solicited, the limits of its mailbox and domain hold.
    """

    id: UUID
    to_address: str
    template: str
    language: str
    values: Mapping[str, str]
    created_at: datetime
    attempt: int
    mailbox: str = ""
    domain: str = ""
    solicited: bool = False


def compose(mail: OutgoingMail) -> EmailMessage:
    """Compose the message, in plain text and HTML; the Message-ID is the same for each try.

    Raises:
        PermanentFailure: the address is invalid, or parsers could read it differently.
    """
    subject, text, html = render(mail.template, mail.language, mail.values)
    sender = sender_of(current_settings().FROM_EMAIL)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _recipient(mail.to_address)
    message["Subject"] = subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    _set_content(message, text, html)
    message["Content-Language"] = mail.language
    return message


def render(template: str, language: str, values: Mapping[str, str]) -> tuple[str, str, str]:
    """Render a template: the subject, which holds no value, the plain text and the HTML."""
    query = f"?{urlencode({'token': values['token']})}" if "token" in values else ""
    shown = {name: _in_one_line(value) for name, value in values.items() if name != "token"}
    shown["site"] = current_settings().FRONTEND_URL.rstrip("/")
    shown["link"] = f"{shown['site']}{TEMPLATES[template].path}{query}"
    text, html = (
        _environment().get_template(f"{language}/{template}.{kind}").render(shown) for kind in ("txt", "html")
    )
    subject, _, body = text.partition("\n")
    return subject, body.lstrip("\n"), html


def _in_one_line(name: str) -> str:
    """Make a name safe for a line of text: no line breaks, no control or direction characters, bounded length."""
    visible = (" " if unicodedata.category(character)[0] in "CZ" else character for character in name)
    line = " ".join("".join(visible).split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"


def _recipient(address: str) -> Address:
    recipient = plain_address(address)
    if recipient is None:
        raise PermanentFailure("The address is none, or could be taken for another.")
    return recipient


def _set_content(message: EmailMessage, text: str, html: str) -> None:
    # Quoted-printable would break links in the source; all present servers take 8 bits.
    message.set_content(text, cte="7bit" if text.isascii() else "8bit")
    message.add_alternative(html, subtype="html", cte="7bit" if html.isascii() else "8bit")


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
    )
