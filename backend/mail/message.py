"""Composition of messages (RFC 5322) from templates and their values."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from backend.extensions import current_settings
from backend.mail.addresses import plain_address
from backend.mail.faults import PermanentFailure
from config import sender_of

FOLDER = Path(__file__).parent / "templates"
# Longest texts of people in a mail, in characters: names and titles, and sentences that quote them.
LONGEST_NAME = 100
LONGEST = {"reason": 300}
# Values of a mail: texts, and lists of things that have texts of their own.
MailValues = Mapping[str, str | Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class Template:
    """Template of a mail: the path of its link below FRONTEND_URL, and the names of its values.

    Subjects hold no value: the `email` package decodes encoded words (RFC 2047) in every header. While a limit of its
    mailbox or domain is reached (`bounds.py`) a mail waits for at most `patience` after its creation; with
    `asks_again` it does not wait for a mailbox, as the person can request another.

    `lists` are values that are lists, with the names of the values of their items. `unsubscribe` is the path below
    PUBLIC_URL at which a POST with the token unsubscribes; the link leads to the web client without a token then.
    """

    path: str
    values: Set[str]
    patience: timedelta = timedelta(days=1)
    asks_again: bool = False
    lists: Mapping[str, Set[str]] = field(default_factory=dict)
    unsubscribe: str = ""
    queue: str = "mail"

    def takes(self, values: MailValues) -> bool:
        """Tell whether these are the values of the template, no more and no less."""
        return values.keys() == self.values | self.lists.keys() and all(
            isinstance(item, Mapping) and item.keys() == names
            for name, names in self.lists.items()
            for item in values[name]
        )


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
    "digest": Template(
        "",
        {"token", "new_total", "tasks_total"},
        lists={
            "new": {"id", "title", "domain", "minutes", "team"},
            "tasks": {"id", "title", "due", "is_overdue", "team"},
            "recommendations": {"id", "title", "domain", "reason"},
        },
        unsubscribe="/api/v1/digests/unsubscribe",
        # Nobody waits for it: it must not keep a mail waiting that somebody waits for.
        queue="bulk_mail",
    ),
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
    values: MailValues
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
    if TEMPLATES[mail.template].unsubscribe:
        # RFC 8058: the mail program sends a POST by itself. Only our own address and token are in it.
        message["List-Unsubscribe"] = f"<{_unsubscribe_link(mail.template, mail.values)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _set_content(message, text, html)
    message["Content-Language"] = mail.language
    return message


def render(template: str, language: str, values: MailValues) -> tuple[str, str, str]:
    """Render a template: the subject, which holds no value, the plain text and the HTML."""
    declared, site = TEMPLATES[template], current_settings().FRONTEND_URL.rstrip("/")
    shown: dict[str, Any] = {name: _shown(name, value) for name, value in values.items() if name != "token"}
    shown["site"] = site
    shown["link"] = f"{site}{declared.path}{'' if declared.unsubscribe else _query(values)}"
    shown["unsubscribe"] = _unsubscribe_link(template, values)
    text, html = (
        _environment().get_template(f"{language}/{template}.{kind}").render(shown) for kind in ("txt", "html")
    )
    subject, _, body = text.partition("\n")
    return subject, body.lstrip("\n"), html


def _query(values: MailValues) -> str:
    return f"?{urlencode({'token': values['token']})}" if "token" in values else ""


def _unsubscribe_link(template: str, values: MailValues) -> str:
    return f"{current_settings().public_url}{TEMPLATES[template].unsubscribe}{_query(values)}"


def _shown(name: str, value: str | Sequence[Mapping[str, str]]) -> str | list[dict[str, str]]:
    if isinstance(value, str):
        return _in_one_line(value, LONGEST.get(name, LONGEST_NAME))
    return [{key: _in_one_line(text, LONGEST.get(key, LONGEST_NAME)) for key, text in item.items()} for item in value]


def _in_one_line(text: str, longest: int) -> str:
    """Make a text safe for a line: no line breaks, no control or direction characters, bounded length."""
    visible = (" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
    line = " ".join("".join(visible).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


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
