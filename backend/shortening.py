"""Long texts in lists: their beginning, and the names of the fields of which there is more."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

# What a list shows of a text; the whole is what a single GET gives.
SHOWN_CHARACTERS = 2_000
# A character that is seen as one may be made of several: a letter and its marks, emoji that are joined.
LONGEST_CHARACTER = 32
JOINER = "\u200d"


def beginning(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The column under its own name, cut by PostgreSQL to what a list shows and one character more: whoever reads it
    sees whether there is more, and what is not shown is not sent."""
    return func.left(column, SHOWN_CHARACTERS + 1).label(column.key)


def shorten(values: dict[str, Any], names: Sequence[str]) -> None:
    """Cut these texts of an item to what a list shows, and set `truncated` to the names of those that were longer."""
    truncated = []
    for name in names:
        text = values[name]
        if len(text) > SHOWN_CHARACTERS:
            values[name] = text[: _last_cut(text)]
            truncated.append(name)
    values["truncated"] = truncated


def _last_cut(text: str) -> int:
    """The last place to cut at that parts no character from its marks, if it is near."""
    for at in range(SHOWN_CHARACTERS, SHOWN_CHARACTERS - LONGEST_CHARACTER, -1):
        if not _belongs_to_the_one_before(text[at]) and text[at - 1] != JOINER:
            return at
    return SHOWN_CHARACTERS


def _belongs_to_the_one_before(character: str) -> bool:
    is_mark = unicodedata.category(character)[0] == "M"
    return is_mark or character == JOINER or "\U0001f3fb" <= character <= "\U0001f3ff"
