"""Unicode normalisation in time linear in the length of any text."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Literal

# Unicode, UAX #15, Stream-Safe Text Format: no writing puts more marks on a letter.
MOST_MARKS = 30
# Ordering marks takes time quadratic in the length of their run: 0.1 ms for this many, a minute for 300,000.
SHORT = 256
# Beyond are ideographs, emoji, and variation selectors, which are never reordered.
LAST_MARK = 0x1F000


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Normalise the text; a long text loses marks that no reader could make out."""
    if len(text) > SHORT and not text.isascii():
        text = _too_many_marks().sub(r"\1", text)
    return unicodedata.normalize(form, text)


@functools.cache
def _too_many_marks() -> re.Pattern[str]:
    starts: list[int] = []
    ends: list[int] = []
    was_reordered = False
    for code in range(0x300, LAST_MARK + 1):
        if _is_reordered(chr(code)) != was_reordered:
            (ends if was_reordered else starts).append(code)
            was_reordered = not was_reordered
    marks = "".join(f"{chr(start)}-{chr(end - 1)}" for start, end in zip(starts, ends, strict=True))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def _is_reordered(character: str) -> bool:
    """Tell whether normalisation may reorder the character: a mark, or one that decomposes into marks."""
    if unicodedata.decomposition(character):
        character = unicodedata.normalize("NFKD", character)
    return unicodedata.combining(character[0]) != 0
