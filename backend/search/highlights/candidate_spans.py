"""Candidate spans: regular expressions that find all places of a long text where a word of the query may begin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import pairwise

from backend.text.folding import fold, normalise
from backend.text.scripts import UNSPACED, character_class, script_of, spans

# A stemmer changes at most the last letter of a stem, and five letters are rare enough.
MAX_PREFIX = 5
# Blocks with letters that fold to others: Latin to Arabic, their extensions, compatibility forms, half and full width.
FOLDING_BLOCKS = ((0x30, 0x700), (0x1D00, 0x2000), (0x2C60, 0x2C80), (0xFB00, 0xFE00), (0xFE70, 0xFFF0))
# Ligatures: one character for these two.
LIGATURES = ("ae", "oe", "ss", "th", "ff", "fi", "fl", "ij")
# The German stemmer equates ue and ü, which folds to u.
UMLAUTS = "aou"
# Stemmers remove articles and prefixes in these scripts.
PREFIXING = ("Arabic",)
# The letter just read begins a word or a hump of camelCase. After a letter of a script without spaces, all of which are
# in this wide range, a word may follow directly.
AT_START = r"(?:(?<![^\W\d_].)|(?<=[^\x00-\u0dff].)|(?<=[A-Za-z0-9][A-Z]))"
# Allowed between two letters: a mark, an invisible character, or a joiner.
BETWEEN = r"[^0-9A-Za-z\s]?"
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
LETTERS = re.compile(r"[^\W_]+")
# The same for texts without letters beyond ASCII.
FOREIGN = re.compile(r"[^\x00-\x7f\W]")
AT_PLAIN_START = "(?:(?<![A-Za-z].)|(?<=[A-Za-z0-9][A-Z]))"
BETWEEN_PLAIN = r"[^\w\s]?"


class CandidatePattern:
    """Finds the beginning of every word with one of the lexemes, and of some others.

    Compiled on first use: a pattern of all letters takes as long as reading a page of results, and most texts have no
    letters beyond ASCII.
    """

    def __init__(self, lexemes: Iterable[str]) -> None:
        # Alternatives are tried in order, so the longest prefix comes first.
        self._prefixes = tuple(sorted(set(map(_prefix, lexemes)), key=lambda prefix: (-len(prefix), prefix)))

    def finditer(self, text: str, limit: int) -> Iterator[re.Match[str]]:
        """Yield the candidates in the first `limit` characters."""
        pattern = (_plain_pattern if is_plain(text) else _pattern)(self._prefixes)
        return pattern.finditer(text, 0, limit) if pattern else iter(())


def is_plain(text: str) -> bool:
    """Tell whether a text has no letters beyond ASCII."""
    return text.isascii() or FOREIGN.search(text) is None


# Of a search, texts in several languages have mostly the same prefixes. Those of a long query take up to 400 kB.
@lru_cache(maxsize=8)
def _plain_pattern(prefixes: tuple[str, ...]) -> re.Pattern[str] | None:
    """Build the pattern for texts without letters beyond ASCII; None where no prefix can occur."""
    possible = [prefix for prefix in prefixes if not FOREIGN.search(prefix)]
    firsts = "".join(
        sorted({re.escape(letter) for prefix in possible for letter in (prefix[0].lower(), prefix[0].upper())})
    )
    branches = [
        f"{start}(?i:{'|'.join(alternatives)})"
        for start, is_word in ((AT_PLAIN_START, True), ("", False))
        if (alternatives := [_plain(prefix) for prefix in possible if prefix[0].isalpha() is is_word])
    ]
    return re.compile(f"[{firsts}](?:{'|'.join(branches)})", re.ASCII | re.DOTALL) if branches else None


def _plain(prefix: str) -> str:
    rest = "".join(
        f"{BETWEEN_PLAIN}{'e?' if before in UMLAUTS else ''}{re.escape(letter)}" for before, letter in pairwise(prefix)
    )
    return f"(?<={re.escape(prefix[0])}){rest}"


@lru_cache(maxsize=8)
def _pattern(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    """Build the pattern for all texts."""
    firsts: set[str] = set()
    at_start: list[str] = []
    anywhere: list[str] = []
    for prefix in prefixes:
        firsts.update(_looks_of(prefix[0]))
        begins = prefix[0].isalpha() and not IS_UNSPACED.match(prefix) and script_of(prefix[0]) not in PREFIXING
        (at_start if begins else anywhere).append(f"(?<={_like(prefix[0])}){_rest(prefix)}")
    branches = [f"{AT_START}(?:{'|'.join(at_start)})"] if at_start else []
    return re.compile(f"{_one_of(firsts)}(?:{'|'.join(branches + anywhere)})", re.DOTALL)


def _prefix(lexeme: str) -> str:
    """Return the folded prefix of all words with the lexeme."""
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
    """Build a character class of everything that folds to the letter; for an ASCII letter also all beyond Latin-1, for
    speed."""
    looks = _looks_of(letter)
    if not letter.isascii():
        return _one_of(looks)
    return f"[^{character_class(spans(code for code in range(256) if chr(code) not in looks))}]"


def _looks_of(letter: str) -> str:
    return letter + _looks().get(letter, "")


@cache
def _looks() -> dict[str, str]:
    """Map each ASCII letter to the characters that fold to it, or begin with it when folded."""
    looks: dict[str, str] = {}
    for low, high in FOLDING_BLOCKS:
        for character in filter(str.isalnum, map(chr, range(low, high))):
            plain = fold(normalise(character))
            if plain:
                looks[plain[0]] = looks.get(plain[0], "") + character
    return looks


def _one_of(characters: Iterable[str]) -> str:
    return f"[{character_class(spans(sorted(set(map(ord, characters)))))}]"
