"""Reading mails as a person does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import cast
from urllib.parse import unquote

LINK = re.compile(r"http://localhost:\d+(/[a-z-]+)\?token=(\S+)")
# After it everything queued is due.
LIFT_WAITS = "UPDATE mails SET due_at = now() WHERE status = 'queued'"


def parsed(raw: bytes) -> EmailMessage:
    """A mail from its bytes."""
    return cast(EmailMessage, BytesParser(policy=default).parsebytes(raw))


def from_files(folder: Path) -> list[EmailMessage]:
    """The mails that were written to a folder, in the order of their names."""
    return [parsed(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


def plain(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html(mail: EmailMessage) -> str:
    """The HTML of a mail."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def link(mail: EmailMessage) -> tuple[str, str]:
    """The path and the token of the link in the plain text."""
    found = LINK.search(plain(mail))
    assert found, plain(mail)
    return found.group(1), unquote(found.group(2))


def links(mails: Iterable[EmailMessage]) -> list[tuple[str, str]]:
    """The same of all mails that have one: notices have none."""
    return [link(mail) for mail in mails if LINK.search(plain(mail))]
