"""From a template and its values to a message as RFC 5322 has it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from backend.extensions import current_settings
from backend.mail.faults import Undeliverable

# Looser than registration, since the operator makes accounts for root@localhost too; strict about what has a meaning in
# a header or a command of SMTP.
ADDRESS = re.compile(r"""([^\s@<>()\[\],;:\\"]{1,64})@([^\s@<>()\[\],;:\\"]{1,255})""")
FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Template:
    """The path below FRONTEND_URL to which the mail's link leads, and the names of the values that it needs."""

    path: str
    values: Set[str]


TEMPLATES = {
    "verify": Template("/verify-email", {"token", "username"}),
    "reset": Template("/reset-password", {"token", "username"}),
    "invitation": Template("/accept-invitation", {"token", "organization", "inviter", "role"}),
}


@dataclass(frozen=True)
class OutgoingMail:
    """A mail as a worker has claimed it. `attempt` tells this claim from an earlier one that died."""

    id: UUID
    to_address: str
    template: str
    language: str
    values: Mapping[str, str]
    created_at: datetime
    attempt: int


def compose(mail: OutgoingMail) -> EmailMessage:
    """The message, in plain text and HTML. A second one for the same mail has the same Message-ID.

    Raises:
        Undeliverable: the address is none.
    """
    text, html = render(mail.template, mail.language, mail.values)
    subject, _, body = text.partition("\n")
    sender = current_settings().FROM_EMAIL
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _recipient(mail.to_address)
    message["Subject"] = subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    _set_content(message, body.lstrip("\n"), html)
    message["Content-Language"] = mail.language
    return message


def render(template: str, language: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Plain text, whose first line is the subject, and HTML."""
    query = urlencode({"token": values["token"]})
    # Nothing that somebody called themselves begins a line of its own.
    told = {name: " ".join(value.split()) for name, value in values.items() if name != "token"}
    told["link"] = f"{current_settings().FRONTEND_URL.rstrip('/')}{TEMPLATES[template].path}?{query}"
    text, html = (_environment().get_template(f"{language}/{template}.{kind}").render(told) for kind in ("txt", "html"))
    return text, html


def _recipient(address: str) -> Address:
    found = ADDRESS.fullmatch(address)
    if found is None or not address.isprintable():
        raise Undeliverable("The address is none.")
    try:
        return Address(username=found[1], domain=found[2].encode("idna").decode())
    except UnicodeError:
        raise Undeliverable("The address is none: such a domain cannot be.") from None


def _set_content(message: EmailMessage, text: str, html: str) -> None:
    # Quoted-printable would break the link where somebody reads the source; all servers of today take 8 bits.
    message.set_content(text, cte="7bit" if text.isascii() else "8bit")
    message.add_alternative(html, subtype="html", cte="7bit" if html.isascii() else "8bit")


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
    )
