"""Truncation of long texts in lists: their beginning, and the names of the truncated fields."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

from backend.http.schemas import ResponseBody

# The most of a text in a list; a single GET returns the whole.
SHOWN_CHARACTERS = 2_000
# A grapheme may consist of several code points: a letter and its marks, emoji that are joined.
LONGEST_CHARACTER = 32
JOINER = "\u200d"
# The most that all items of a list take as JSON, in which a character takes up to six bytes (`\u0001`).
LIST_BYTES = 1_900_000
LARGEST_CHARACTER = 6
# Smaller fields are not worth truncating.
SMALL_FIELD = 100


def beginning(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Return the column under its own name, cut by PostgreSQL to what a list shows and one character more, which tells
    that there is more."""
    return func.left(column, SHOWN_CHARACTERS + 1).label(column.key)


def shorten(values: dict[str, Any], names: Sequence[str]) -> None:
    """Truncate these texts of an item, and set `truncated` to the names of those that were longer."""
    truncated = []
    for name in names:
        text = values[name]
        if len(text) > SHOWN_CHARACTERS:
            values[name] = text[: _last_cut(text, SHOWN_CHARACTERS)]
            truncated.append(name)
    values["truncated"] = truncated


def fit(items: Sequence[ResponseBody], names: Sequence[str], room: int = LIST_BYTES) -> None:
    """Truncate these fields of a list's items further where all take more than so many bytes together.

    Each item may take an equal share; of one that takes more, the largest field is halved until it fits. A text or list
    keeps its beginning, another field becomes null, and `truncated` names them. Lists of short texts are not measured.
    """
    # As Python writes them they are no shorter than their characters.
    written = sum(len(repr(fields)) for fields in map(attrgetter(*names), items))
    if LARGEST_CHARACTER * written <= room // 2:
        return
    sizes = [len(item.model_dump_json().encode()) for item in items]
    if sum(sizes) > room:
        for item, size in zip(items, sizes, strict=True):
            _fit(item, names, size - room // len(items))


def _fit(item: ResponseBody, names: Sequence[str], over: int) -> None:
    sizes = {name: _size(getattr(item, name)) for name in names}
    cut = set(item.truncated)  # type: ignore[attr-defined]
    while over > 0:
        name = max(sizes, key=lambda one: sizes[one])
        if sizes[name] <= SMALL_FIELD:
            break
        value = _half(getattr(item, name))
        over -= sizes[name] - _size(value)
        sizes[name] = _size(value)
        setattr(item, name, value)
        cut.add(name)
    item.truncated = [name for name in names if name in cut]  # type: ignore[attr-defined]


def _size(value: Any) -> int:
    return len(orjson.dumps(value))


def _half(value: Any) -> Any:
    if isinstance(value, str):
        return value[: _last_cut(value, len(value) // 2)]
    return value[: len(value) // 2] if isinstance(value, list) else None


def _last_cut(text: str, highest: int) -> int:
    """Return the last position that parts no character from its marks, if it is near."""
    for at in range(highest, max(0, highest - LONGEST_CHARACTER), -1):
        if not _belongs_to_the_one_before(text[at]) and text[at - 1] != JOINER:
            return at
    return highest


def _belongs_to_the_one_before(character: str) -> bool:
    is_mark = unicodedata.category(character)[0] == "M"
    return is_mark or character == JOINER or "\U0001f3fb" <= character <= "\U0001f3ff"
