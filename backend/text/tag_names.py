"""Names of tags: their stored form, and their comparison."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from backend.text.normalisation import normalize

# Characters that display as a blank or as nothing, beside those that Python takes for spaces.
BLANK = re.compile(r"[\s\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0]+")


# Names repeat from link to link. Longer ones are none that a tag may have, and would fill the cache.
CACHE_ENTRIES, MAX_CACHED_CHARACTERS = 8_192, 100


def _cached(function: Callable[[str], str]) -> Callable[[str], str]:
    short = lru_cache(maxsize=CACHE_ENTRIES)(function)
    return lambda name: short(name) if len(name) <= MAX_CACHED_CHARACTERS else function(name)


def fold_name(name: str) -> str:
    """Return the stored form of a name: composed (NFC), blanks of all kinds as one space, none at either end."""
    return _fold_name(name)


def tag_key(name: str) -> str:
    """Return the form by which tag names are compared: folded, and without case."""
    return _tag_key(name)


@_cached
def _fold_name(name: str) -> str:
    return BLANK.sub(" ", normalize("NFC", name)).strip(" ")


@_cached
def _tag_key(name: str) -> str:
    # Canonical caseless matching, as in definition D145 of the Unicode standard.
    bare = normalize("NFD", fold_name(name)).casefold()
    return normalize("NFC", bare)
