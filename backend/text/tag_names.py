"""Names of tags: their stored form, and their comparison."""

from __future__ import annotations

import re

from backend.text.normalisation import normalize

# Characters that display as a blank or as nothing, beside those that Python takes for spaces.
BLANK = re.compile(r"[\s\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0]+")


def fold_name(name: str) -> str:
    """Return the stored form of a name: composed (NFC), blanks of all kinds as one space, none at either end."""
    return BLANK.sub(" ", normalize("NFC", name)).strip(" ")


def tag_key(name: str) -> str:
    """Return the form by which tag names are compared: folded, and without case."""
    # Canonical caseless matching, as in definition D145 of the Unicode standard.
    bare = normalize("NFD", fold_name(name)).casefold()
    return normalize("NFC", bare)
