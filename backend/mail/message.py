"""From a template and its values to a message as RFC 5322 has it."""

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
# Of what somebody called themselves or their organization, in characters.
LONGEST_NAME = 100


@dataclass(frozen=True)
class Template:
    """The path below FRONTEND_URL to which the mail's link leads, and the names of the values that it needs.

    Subjects are ours alone: the `email` package decodes encoded words (RFC 2047) in whatever is set as a header.
    While its recipient's mailbox is full (`bounds.py`) a mail waits for `patience` at most from when it was asked for;
    with `asks_again` it does not wait for a mailbox at all, as whoever wants it can ask for another.
    """

    path: str
    values: Set[str]
    patience: timedelta = timedelta(days=1)
    asks_again: bool = False


TEMPLATES = {
    "verify": Template("/verify-email", {"token"}, timedelta(hours=12), asks_again=True),
    "reset": Template("/reset-password", {"token", "username"}, timedelta(minutes=30), asks_again=True),
    # To an address that no account here has confirmed: it names nobody, whatever the values are.
    "invitation": Template("/accept-invitation", {"token", "organization", "inviter", "role"}),
    "invitation_named": Template("/accept-invitation", {"token", "organization", "inviter", "role"}),
    # Notices: of what somebody did with the account, in our words and numbers alone.
    "password_changed": Template("", {"how", "tokens", "provider", "ended"}),
    "email_changed": Template("", set()),
    "token_created": Template("", set()),
    "new_sign_in": Template("", {"address", "time"}),
}


@dataclass(frozen=True)
class OutgoingMail:
    """A mail as a worker has claimed it. `attempt` tells this claim from an earlier one that died.

    Unless it is solicited, its mailbox and domain get only so many in an hour.
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
    """The message, in plain text and HTML. A second one for the same mail has the same Message-ID.

    Raises:
        PermanentFailure: the address is none, or one that a reader could take for another.
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
    """The subject, in which nobody's words are; plain text; and HTML."""
    query = f"?{urlencode({'token': values['token']})}" if "token" in values else ""
    told = {name: _in_one_line(value) for name, value in values.items() if name != "token"}
    told["site"] = current_settings().FRONTEND_URL.rstrip("/")
    told["link"] = f"{told['site']}{TEMPLATES[template].path}{query}"
    text, html = (_environment().get_template(f"{language}/{template}.{kind}").render(told) for kind in ("txt", "html"))
    subject, _, body = text.partition("\n")
    return subject, body.lstrip("\n"), html


def _in_one_line(name: str) -> str:
    """What somebody called something, as text that begins no line, ends none, turns none around and is not endless."""
    visible = (" " if unicodedata.category(character)[0] in "CZ" else character for character in name)
    line = " ".join("".join(visible).split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"


def _recipient(address: str) -> Address:
    recipient = plain_address(address)
    if recipient is None:
        raise PermanentFailure("The address is none, or could be taken for another.")
    return recipient


def _set_content(message: EmailMessage, text: str, html: str) -> None:
    # Quoted-printable would break the link where somebody reads the source; all servers of today take 8 bits.
    message.set_content(text, cte="7bit" if text.isascii() else "8bit")
    message.add_alternative(html, subtype="html", cte="7bit" if html.isascii() else "8bit")


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
    )
