"""Names of tags: how they are written down, and when two of them are the same."""

from __future__ import annotations

import re

from backend.text.normalisation import normalize

# What shows as a blank or as nothing where a name begins, ends or is parted, beside what Python takes for a space.
BLANK = re.compile(r"[\s\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0]+")


def fold_name(name: str) -> str:
    """A name as it is stored: composed (NFC), blanks of all kinds as one space, none at either end."""
    return BLANK.sub(" ", normalize("NFC", name)).strip(" ")


def tag_key(name: str) -> str:
    """The form in which tag names are compared: folded, and without case."""
    # Canonical caseless matching, as in definition D145 of the Unicode standard.
    bare = normalize("NFD", fold_name(name)).casefold()
    return normalize("NFC", bare)
