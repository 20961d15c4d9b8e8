"""How names and mail addresses are compared: what looks the same, or is the same mailbox, is one."""

from __future__ import annotations

import re
import unicodedata

import idna

# Unicode 14, DerivedCoreProperties.txt: Default_Ignorable_Code_Point. They show as nothing, or join or vary what is
# beside them; NFKC_Casefold (Unicode, section 3.13, R7) drops them too.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def fold(name: str) -> str:
    """The form in which names and mail addresses are compared.

    Compatibility-normalised, without case and without what cannot be seen; the domain of an address with its letters,
    whether it was given with them or in Punycode (RFC 5891).
    """
    folded = _fold_text(name)
    local, at, domain = folded.rpartition("@")
    return f"{local}@{_fold_text(_with_letters(domain))}" if at and "xn--" in domain else folded


def _fold_text(text: str) -> str:
    normal = unicodedata.normalize("NFKC", INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold())
    # Case folding takes some letters apart, and what it leaves may be nothing to see.
    return INVISIBLE.sub("", normal)


def _with_letters(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
