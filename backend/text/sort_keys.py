"""Sort keys, comparison and searchable text of names, titles and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from backend.text.normalisation import normalize

# Limit of an index entry.
KEY_LENGTH = 200
NOT_WORDS = re.compile(r"[\W_]+")
# Scripts that write words side by side, from Thai to ideographs: each character counts as a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[^\W{UNSPACED}]+|\S")


def sort_key(name: str) -> str:
    """Return the sort key of a name: without case, cut to what an index entry can hold."""
    return name.casefold()[:KEY_LENGTH]


def bare_words(text: str) -> str:
    """Return the words of a text, without case, a space between two: headings and titles are compared by them."""
    return NOT_WORDS.sub(" ", text).strip().casefold()


def searchable_text(*texts: str) -> str:
    """Join the words of the texts, each after a space, for `word_prefix_conditions`. No word spans two texts."""
    return "\n".join(_spaced(text) for text in texts)


def word_prefix_conditions(column: InstrumentedAttribute[str], q: str) -> Iterator[ColumnElement[bool]]:
    """Yield conditions on a column of `searchable_text`: each part of a query is a prefix of some word, in any case.

    A part is delimited by spaces; signs in it, as in c++ or node.js, must match too.
    """
    for part in dict.fromkeys(q.split()):
        yield column.contains(_spaced(part), autoescape=True)


def _spaced(text: str) -> str:
    # Normalised again, because a case-folded text need not be in normal form.
    folded = normalize("NFKC", normalize("NFKC", text).casefold())
    return "".join(f" {word}" for word in WORD.findall(folded))
