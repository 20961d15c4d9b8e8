"""Serialisation of messages, with a guard against header injection: the bytes are parsed back before they are sent."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from typing import cast

from backend.mail.faults import PermanentFailure

# RFC 5322, 2.1.1: without the CRLF.
LONGEST_LINE = 998
BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")


def wire_bytes(message: EmailMessage) -> bytes:
    """Serialise a message for a mail server or a file.

    Raises:
        PermanentFailure: parsed back, it differs from the message: an attempt to inject headers, or a fault of the
            `email` package.
    """
    try:
        # Shorter lines would turn a long link, which has no blank to fold at, into encoded words (RFC 2047).
        content = message.as_bytes(policy=SMTP.clone(utf8=is_international(message), max_line_length=LONGEST_LINE))
        parsed = BytesParser(policy=default).parsebytes(content)
        same = _headers(parsed) == _headers(message)
        one_each = all(len(addresses(parsed, name)) == 1 for name in ("From", "To"))
    except (ValueError, LookupError, AttributeError, MessageError) as error:
        raise PermanentFailure(f"The message cannot be written down: {type(error).__name__}.") from None
    if not (same and one_each and _is_well_framed(content, len(message.items()))):
        raise PermanentFailure("The message would not arrive with the headers that it was given.")
    return content


def is_international(message: EmailMessage) -> bool:
    """Tell whether a message needs a server that accepts addresses beyond ASCII (RFC 6531)."""
    return not all(address.isascii() for name in ("From", "To") for address in addresses(message, name))


def addresses(message: EmailMessage, name: str) -> list[str]:
    """Return the addresses in a header."""
    header = cast("AddressHeader | None", message[name])
    return [address.addr_spec for address in header.addresses] if header is not None else []


def _headers(message: EmailMessage) -> list[tuple[str, str]]:
    # Folding changes white space only.
    return [(name.lower(), " ".join(str(value).split())) for name, value in message.items()]


def _is_well_framed(content: bytes, headers: int) -> bool:
    """Tell whether a line-based parser sees so many headers, and the same lines as every other parser."""
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    starts = [line for line in head if not line.startswith((b" ", b"\t"))]
    return (
        len(starts) == headers
        and BARE_LINE_END.search(content) is None
        and all(len(line) <= LONGEST_LINE for line in content.split(b"\r\n"))
    )
