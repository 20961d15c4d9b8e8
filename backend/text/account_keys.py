"""Keys of usernames and mail addresses: texts that look the same, or name the same mailbox, have one key."""

from __future__ import annotations

import re

import idna

from backend.text.normalisation import normalize

# Unicode 14, DerivedCoreProperties.txt: Default_Ignorable_Code_Point. They are invisible, or join or vary their
# neighbours; NFKC_Casefold (Unicode, section 3.13, R7) drops them too.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def account_key(name: str) -> str:
    """Return the key of a username or mail address, under which it is compared.

    Compatibility normalisation, case folding, no invisible characters; the domain of an address decoded from Punycode
    (RFC 5891).
    """
    folded = _fold_text(name)
    local, at, domain = folded.rpartition("@")
    return f"{local}@{_fold_text(_with_letters(domain))}" if at and "xn--" in domain else folded


def _fold_text(text: str) -> str:
    normal = normalize("NFKC", INVISIBLE.sub("", normalize("NFKC", text)).casefold())
    # Case folding splits some letters, and may leave invisible characters.
    return INVISIBLE.sub("", normal)


def _with_letters(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
