"""Where in a long text to look closer: a regular expression from which no wanted word can hide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from backend.text.folding import fold, normalise
from backend.text.scripts import UNSPACED, character_class, script_of, spans

# A stemmer changes at most the last letter of what it leaves, and five letters are rare enough.
MAX_PREFIX = 5
# Where letters are that fold to others: Latin to Arabic, their extensions, compatibility forms, half and full width.
FOLDING_BLOCKS = ((0x30, 0x700), (0x1D00, 0x2000), (0x2C60, 0x2C80), (0xFB00, 0xFE00), (0xFE70, 0xFFF0))
# One character may stand for these two.
LIGATURES = ("ae", "oe", "ss", "th", "ff", "fi", "fl", "ij")
# The German stemmer takes ue for ü, which folds to u.
UMLAUTS = "aou"
# Words of these scripts have articles and prefixes, which stemmers take off.
PREFIXING = ("Arabic",)
# The first letter, just read, begins a word or a hump of camelCase. On a letter of a script without spaces, which are
# all in this wide range, a word may follow directly.
AT_START = r"(?:(?<![^\W\d_].)|(?<=[^\x00-\u0dff].)|(?<=[A-Za-z0-9][A-Z]))"
# May stand between two letters: a mark, what is not seen, what is left out where words are joined, and more.
BETWEEN = r"[^0-9A-Za-z\s]?"
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
LETTERS = re.compile(r"[^\W_]+")


def spotter(lexemes: Iterable[str]) -> re.Pattern[str]:
    """Matches the beginnings of all words that have one of the lexemes (at least one), and of some that have none."""
    firsts: set[str] = set()
    at_start: list[str] = []
    anywhere: list[str] = []
    # Of two that begin alike the longer is tried first.
    for prefix in sorted(set(map(_prefix, lexemes)), key=len, reverse=True):
        firsts.update(_looks_of(prefix[0]))
        begins = prefix[0].isalpha() and not IS_UNSPACED.match(prefix) and script_of(prefix[0]) not in PREFIXING
        (at_start if begins else anywhere).append(f"(?<={_like(prefix[0])}){_rest(prefix)}")
    branches = [f"{AT_START}(?:{'|'.join(at_start)})"] if at_start else []
    return re.compile(f"{_one_of(firsts)}(?:{'|'.join(branches + anywhere)})", re.DOTALL)


def _prefix(lexeme: str) -> str:
    """What every word that has the lexeme begins with, once folded."""
    letters = LETTERS.search(lexeme)
    if letters is None or IS_UNSPACED.match(lexeme):
        return lexeme
    return letters[0][: min(max(2, len(letters[0]) - 1), MAX_PREFIX)]


def _rest(prefix: str) -> str:
    if IS_UNSPACED.match(prefix):
        return "".join(map(_like, prefix[1:]))
    return "".join(
        f"(?:{BETWEEN}{'e?' if before in UMLAUTS else ''}{_like(letter)})"
        + ("?" if before + letter in LIGATURES else "")
        for before, letter in pairwise(prefix)
    )


@cache
def _like(letter: str) -> str:
    """A class that holds all characters that fold to the letter; for speed also all beyond Latin-1 for a plain one."""
    looks = _looks_of(letter)
    if not letter.isascii():
        return _one_of(looks)
    return f"[^{character_class(spans(code for code in range(256) if chr(code) not in looks))}]"


def _looks_of(letter: str) -> str:
    return letter + _looks().get(letter, "")


@cache
def _looks() -> dict[str, str]:
    """Every plain letter with the characters that fold to it, or to it and more."""
    looks: dict[str, str] = {}
    for low, high in FOLDING_BLOCKS:
        for character in filter(str.isalnum, map(chr, range(low, high))):
            plain = fold(normalise(character))
            if plain:
                looks[plain[0]] = looks.get(plain[0], "") + character
    return looks


def _one_of(characters: Iterable[str]) -> str:
    return f"[{character_class(spans(sorted(set(map(ord, characters)))))}]"
