"""Texts beside an axis: short, and apart from what stands around them."""

from __future__ import annotations

import unicodedata
from datetime import date

from backend.text.xml_text import xml_text

# First strong isolate, and pop directional isolate (UAX #9).
ISOLATED = "\u2068{}\u2069"
WIDE_LETTERS = "MWmw@%"
JOINER = "\u200d"


def short_day(day: date) -> str:
    """Return a day and its month."""
    return f"{day.day} {day:%b}"


def long_day(day: date) -> str:
    """Return a day with its year."""
    return f"{day.day} {day:%b %Y}"


def month(day: date) -> str:
    """Return the month of a day with its year."""
    return f"{day:%b %Y}"


def isolated(text: str) -> str:
    """Return a person's text as a picture can hold it; its direction does not turn what stands around it."""
    return ISOLATED.format(xml_text(text))


def columns_of(text: str) -> int:
    """Return how many usual letters are as wide as a text, about: ideographs and emoji are two (UAX #11)."""
    return sum(_columns(character) for character in text)


def shortened(text: str, columns: int) -> str:
    """Return a text that takes at most so many columns, isolated."""
    if columns_of(text) <= columns:
        return isolated(text)
    taken, end = 1, 0  # The ellipsis.
    while (taken := taken + _columns(text[end])) <= columns:
        end += 1
    return isolated(text[:end].rstrip(f" {JOINER}") + "…")


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if character in WIDE_LETTERS or unicodedata.east_asian_width(character) in "WF" else 1
