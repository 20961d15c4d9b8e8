"""Unicode normalisation that takes time linear in the length of the text, whatever the text holds."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Literal

# Unicode, UAX #15, Stream-Safe Text Format: no writing puts more marks on a letter.
MOST_MARKS = 30
# To put marks in order takes time quadratic in how many stand in a row: 0.1 ms for so many, a minute for 300,000.
SHORT = 256
# Beyond are ideographs, emoji, and variation selectors, which are never moved.
LAST_MARK = 0x1F000


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normalisation form; of a long text, without the marks that nobody could read."""
    if len(text) > SHORT and not text.isascii():
        text = _too_many_marks().sub(r"\1", text)
    return unicodedata.normalize(form, text)


@functools.cache
def _too_many_marks() -> re.Pattern[str]:
    starts: list[int] = []
    ends: list[int] = []
    was_moved = False
    for code in range(0x300, LAST_MARK + 1):
        if _is_moved(chr(code)) != was_moved:
            (ends if was_moved else starts).append(code)
            was_moved = not was_moved
    marks = "".join(f"{chr(start)}-{chr(end - 1)}" for start, end in zip(starts, ends, strict=True))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def _is_moved(character: str) -> bool:
    """Whether normalisation may put it before others: a mark, or a character that is taken apart into marks."""
    if unicodedata.decomposition(character):
        character = unicodedata.normalize("NFKD", character)
    return unicodedata.combining(character[0]) != 0
