"""Rules for usernames. They apply to the key: folding makes signs that nobody typed, such as `@` of its wide form."""

from __future__ import annotations

import functools
import unicodedata
from importlib import resources

from backend.text.account_keys import account_key

# Zero width non-joiner and joiner: some scripts need them; no key holds them.
JOINERS = "\u200c\u200d"
MIN_USERNAME, MAX_USERNAME = 2, 64
# Reserved top-level names (RFC 6761, 6762, 7686, 9476, and ICANN's `internal`), which no list of domains has.
SPECIAL_DOMAINS = frozenset({"alt", "example", "internal", "invalid", "local", "localhost", "onion", "test"})


def username_fault(username: str) -> str | None:
    """Return the fault of a username, or None.

    The key of a username has letters, marks, digits, points, hyphens and underscores, and does not read as a web
    address: its last label is no top-level domain, its first is not `www`, and it is no number with points. So
    `jane.doe` is valid, and `evil.example` is not.
    """
    others = (character for character in username if character not in JOINERS)
    if any(unicodedata.category(character)[0] in "CZ" for character in others):
        return "A username has no spaces and no control or format characters"
    return _fault_of_key(account_key(username))


def is_username_key(key: str) -> bool:
    """Tell whether a username may have this key; that of a mail address may not, for its `@`."""
    return _fault_of_key(key) is None


def _fault_of_key(key: str) -> str | None:
    kinds = [unicodedata.category(sign) for sign in key]
    if any(kind[0] not in "LM" and kind != "Nd" and sign not in "._-" for kind, sign in zip(kinds, key, strict=True)):
        return "A username has no signs but letters, digits, points, hyphens and underscores"
    if len(key) < MIN_USERNAME or not any(kind[0] == "L" or kind == "Nd" for kind in kinds):
        return f"A username has at least {MIN_USERNAME} signs to see, one of them a letter or digit"
    if kinds[0][0] == "M":
        return "A username does not begin with a mark, which would join what stands before it"
    return "A username does not read as an address on the web" if _reads_as_web_address(key) else None


def _reads_as_web_address(key: str) -> bool:
    labels = key.rstrip("._-").split(".")
    if len(labels) == 1:
        return False
    first, last = labels[0], labels[-1]
    is_number = all(label.isdecimal() for label in labels)
    return is_number or first == "www" or last.startswith("xn--") or last in _top_level_domains()


@functools.cache
def _top_level_domains() -> frozenset[str]:
    """Return the folded top-level domains of the public suffix list in the package `tld`."""
    lines = resources.files("tld").joinpath("res/effective_tld_names.dat.txt").read_text("utf-8").splitlines()
    names = (line.strip().removeprefix("*.") for line in lines)
    top_level = (name for name in names if name and "." not in name and not name.startswith("//"))
    return SPECIAL_DOMAINS | {account_key(name) for name in top_level}
