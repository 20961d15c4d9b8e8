"""Folding of look-alike words: case, compatibility forms, accents."""

from __future__ import annotations

import re
import unicodedata

from backend.text.normalisation import normalize
from backend.text.scripts import JOINERS, MARK, Span, script_of

# Marks that are ignored in Latin, Greek, Cyrillic, Hebrew and Arabic; the signs of Indic scripts are letters.
FOLDED_MARKS: tuple[Span, ...] = (
    (0x0300, 0x036F),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x0640, 0x0640),  # tatweel, which only stretches a word
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x08CA, 0x08FF),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)
ACCENTED_SCRIPTS = ("Latin", "Greek", "Hebrew", "Arabic")
# Letters without a decomposition, and Cyrillic ones commonly written without their mark (й and ї are letters).
LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ı": "i",
    "ĸ": "k",
    "ł": "l",
    "ŋ": "n",
    "ŧ": "t",
    "ё": "е",
    "ѐ": "е",
    "ѝ": "и",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ʼ": "'",
    "’": "'",
}
UNSEEN = re.compile(rf"[{JOINERS}\s\0]+")
# A character with those that normalisation may compose with it: marks, and later letters of a Hangul syllable.
CLUSTER = re.compile(rf".[{MARK}\u0e31-\u0e4e\u1160-\u11ff\u3099\u309a\u314f-\u3163\uff9e\uff9f\uffc2-\uffdc]*", re.S)
SKIN_AND_STYLE = re.compile(r"(?<=.)[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]+", re.S)


class _Folds(dict[int, str]):
    """Table for `str.translate`: each character's plain form, computed at first use."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = _plain(chr(code))
        return plain


def _plain(character: str) -> str:
    if character in LETTERS:
        return LETTERS[character]
    if any(low <= ord(character) <= high for low, high in FOLDED_MARKS):
        return ""
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    decomposed = normalize("NFD", character)
    if len(decomposed) > 1 and script_of(character) in ACCENTED_SCRIPTS:
        return fold(decomposed)
    return character


_FOLDS = _Folds()


def normalise(word: str) -> str:
    """Return the word in lower case and NFKC, with its accents."""
    if word.isascii():
        return word.lower()
    composed = normalize("NFKC", normalize("NFKC", UNSEEN.sub("", word)).casefold())
    return UNSEEN.sub("", composed)


def fold(word: str) -> str:
    """Remove the accents of a normalised word: é is e, ß was ss already, ø is o; й stays й."""
    return word if word.isascii() else word.translate(_FOLDS)


def clusters(run: str) -> list[tuple[str, int, int]]:
    """Split a run into characters in NFKC, each with its offsets."""
    if unicodedata.is_normalized("NFKC", run):
        return [(character, at, at + 1) for at, character in enumerate(run)]
    return [
        (character, match.start(), match.end())
        for match in CLUSTER.finditer(run)
        for character in normalize("NFKC", match[0])
        if not character.isspace()
    ]


def plain_emoji(emoji: str) -> str:
    """Remove skin tone and style from the emoji, so that all its variants match."""
    return SKIN_AND_STYLE.sub("", emoji)
