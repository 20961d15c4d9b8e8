"""Reading digests as a person does."""

from __future__ import annotations

import itertools
from email.message import EmailMessage

from tests.mail.reading import plain


def listed(mail: EmailMessage, heading: str) -> list[str]:
    """The titles under a heading of the plain text, in their order."""
    section = plain(mail).partition(heading)[2].partition("\n")[2]
    lines = itertools.takewhile(lambda line: line.startswith(("- ", "  ")) or not line, section.splitlines())
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]
