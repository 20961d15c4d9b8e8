"""Mail addresses: those that all parsers read alike, and the mailbox of each."""

from __future__ import annotations

import re
import unicodedata
from email.errors import HeaderParseError
from email.headerregistry import Address

from backend.text.normalisation import normalize

# RFC 5322's dot-atom, with letters beyond ASCII (RFC 6531): no quotes, comments, routes, blanks or control characters.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
LOCAL_PART = re.compile(rf"{ATOM}(?:\.{ATOM})*")
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
DOMAIN = re.compile(rf"{LABEL}(?:\.{LABEL})*")
MAX_LOCAL, MAX_DOMAIN = 64, 255
# Marks of an encoded word (RFC 2047), which parsers of headers decode.
ENCODED_WORD = ("=?", "?=")
# Providers that ignore dots in the local part, under all their names.
DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def plain_address(value: str) -> Address | None:
    """Parse an address, its domain in Punycode; None where parsers could read it differently.

    It must stay plain when it is normalised: a full-width `＠` or `＝？` then becomes the character itself.
    """
    local, _, domain = value.rpartition("@")
    if not (_is_plain_local(local) and _is_plain_local(normalize("NFKC", local))):
        return None
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        return None
    if not DOMAIN.fullmatch(ascii_domain) or len(ascii_domain) > MAX_DOMAIN:
        return None
    try:
        address = Address(username=local, domain=ascii_domain)
    except (ValueError, HeaderParseError, IndexError):
        return None
    return address if address.addr_spec == f"{local}@{ascii_domain}" else None


def mailbox(address: str) -> str:
    """Return one name for all addresses of a mailbox: without case, `+tag`, and the dots that its provider ignores.

    An invalid address is its own mailbox.
    """
    local, at, domain = normalize("NFKC", address).casefold().rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        return f"{local}{at}{domain}"
    name = local.partition("+")[0] or local
    if domain in DOTLESS:
        name, domain = name.replace(".", "") or name, DOTLESS[domain]
    return f"{name}{at}{domain}"


def _is_plain_local(local: str) -> bool:
    return (
        len(local) <= MAX_LOCAL
        and LOCAL_PART.fullmatch(local) is not None
        and not any(mark in local for mark in ENCODED_WORD)
        # Control, format, private and unassigned characters, and every kind of blank.
        and not any(unicodedata.category(character)[0] in "CZ" for character in local)
    )
