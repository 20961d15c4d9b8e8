"""Character classes of words for regular expressions, and the script of a letter."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]

# Scripts without spaces between words, or with endings glued on (Hangul): indexed by pairs of characters.
UNSPACED_BLOCKS: tuple[Span, ...] = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals, as some PDF files spell ideographs
    (0x3005, 0x3007),
    (0x3021, 0x303C),
    (0x3041, 0x30FA),  # Hiragana, Katakana
    (0x30FC, 0x31BF),  # the long vowel sign, Bopomofo, Hangul letters for compatibility
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xA9E0, 0xA9FE),
    (0xAA60, 0xAA7F),
    (0xAC00, 0xD7FB),  # Hangul syllables
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),  # half-width Katakana and Hangul
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)
# Whole blocks beyond the first plane: letters of old scripts, mathematical alphabets.
LETTERS_BEYOND: tuple[Span, ...] = ((0x10000, 0x1AFEF), (0x1D400, 0x1D7FF), (0x1E000, 0x1EFFF))
MARKS_BEYOND: tuple[Span, ...] = ((0xE0100, 0xE01EF),)
# Invisible within words: the soft hyphen, the joiners, the word joiner.
JOINERS = "\u00ad\u200c\u200d\u2060"

SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x02AF, "Latin"),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0530, 0x058F, "Armenian"),
    (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"),
    (0x0750, 0x077F, "Arabic"),
    (0x08A0, 0x08FF, "Arabic"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0B80, 0x0BFF, "Tamil"),
    (0x1C80, 0x1C8F, "Cyrillic"),
    (0x1D00, 0x1DBF, "Latin"),
    (0x1E00, 0x1EFF, "Latin"),
    (0x1F00, 0x1FFF, "Greek"),
    (0x2C60, 0x2C7F, "Latin"),
    (0xA640, 0xA69F, "Cyrillic"),
    (0xA720, 0xA7FF, "Latin"),
)
SCRIPT_STARTS = [start for start, _, _ in SCRIPTS]


def script_of(letter: str) -> str:
    """Return the script of a letter, or "" when no decision depends on it."""
    code = ord(letter)
    index = bisect_right(SCRIPT_STARTS, code) - 1
    return SCRIPTS[index][2] if index >= 0 and code <= SCRIPTS[index][1] else ""


def character_class(spans: Iterable[Span]) -> str:
    """Return the inside of a `[…]` in a regular expression."""
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in spans)


def spans(codes: Iterable[int]) -> list[Span]:
    """Merge sorted code points into the fewest ranges."""
    ranges: list[Span] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def _classes() -> tuple[str, str, str]:
    unspaced_codes = {code for low, high in UNSPACED_BLOCKS if high < 0x10000 for code in range(low, high + 1)}
    unspaced, letters, marks = [], [], []
    for code in range(0x30, 0x10000):
        category = unicodedata.category(chr(code))
        if code in unspaced_codes and (category[0] in "LM" or category in ("Nl", "So")):
            unspaced.append(code)
        elif category[0] == "M" or chr(code) in JOINERS:
            marks.append(code)
        elif category[0] in "LN":
            letters.append(code)
    unspaced_beyond = [span for span in UNSPACED_BLOCKS if span[0] > 0xFFFF]
    return (
        character_class(spans(unspaced) + unspaced_beyond),
        character_class(spans(letters) + list(LETTERS_BEYOND)),
        character_class(spans(marks) + list(MARKS_BEYOND)),
    )


UNSPACED, LETTER, MARK = _classes()
IDEOGRAPH = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
EMOJI = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
    "(?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[\u2600-\u27bf\U0001f300-\U0001faff])*)"
)
