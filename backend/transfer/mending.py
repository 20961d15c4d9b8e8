"""From what a file says of a bookmark to what can be saved: too much is cut, what makes no sense is left out.

Whatever is lost on the way is told in a sentence; what cannot be saved at all is refused with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from backend.bookmarks.schemas import AHEAD, MAX_TAG_LENGTH, MAX_TAGS, BookmarkIn
from backend.clock import utc_now
from backend.http.validation import in_words
from backend.text.tag_names import fold_name, tag_key
from backend.transfer.records import ImportedBookmark

MAX_LENGTHS = {"title": 2_000, "description": 50_000, "notes": 200_000}
FIRST_YEAR, LAST_YEAR = 1000, 9000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What PostgreSQL does not hold: NUL, and halves of characters, as broken JSON has them.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Refused(Exception):
    """A bookmark cannot be saved; the message says why."""


@dataclass(frozen=True, slots=True)
class MendedBookmark:
    """A bookmark that can be saved, and what of it could not be taken as it is."""

    item: BookmarkIn
    remarks: tuple[str, ...] = ()


def mend(record: ImportedBookmark, tags_of_folders: bool, capture: bool | None) -> MendedBookmark:
    """Make a bookmark of a record that can be saved.

    Args:
        record: What the file says.
        tags_of_folders: Whether each folder becomes a tag.
        capture: As the person said; None where they said nothing.

    Raises:
        Refused: there is no way to save it.
    """
    remarks: list[str] = []
    values: dict[str, Any] = {"url": _clean(record.url), "created_at": _moment(record.created_at, remarks)}
    for name, most in MAX_LENGTHS.items():
        values[name] = _fitting(name, getattr(record, name), most, remarks)
    values["tags"] = _tags((*record.tags, *(record.folders if tags_of_folders else ())), remarks)
    for mark in ("is_read", "is_favorite", "is_archived"):
        values[mark] = bool(getattr(record, mark))
    if capture is not None:
        values["capture"] = capture
    try:
        return MendedBookmark(BookmarkIn.model_validate(values), tuple(remarks))
    except ValidationError as error:
        raise Refused(f"{in_words(error.errors(include_url=False, include_input=False)[0])}.") from None


def clean_folders(record: ImportedBookmark) -> tuple[str, ...]:
    """Read the path of a record's folders as names that can be stored, without those that are empty."""
    return tuple(filter(None, (fold_name(_clean(folder)) for folder in record.folders)))


def _clean(text: str) -> str:
    if not UNSTORABLE.search(text):
        return text
    # Two halves that belong together become the character that they are.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "")


def _fitting(name: str, text: str, most: int, remarks: list[str]) -> str:
    cleaned = _clean(text)
    if cleaned != text:
        remarks.append(f"Characters of the {name} that cannot be stored were left out.")
    if len(cleaned) > most:
        remarks.append(f"The {name} {'were' if name == 'notes' else 'was'} cut to {most:,} characters.")
    return cleaned[:most]


def _tags(names: Sequence[str], remarks: list[str]) -> list[str]:
    by_key: dict[str, str] = {}
    for name in _tag_names(names, remarks):
        by_key.setdefault(tag_key(name), name)
    if len(by_key) > MAX_TAGS:
        remarks.append(f"Only the first {MAX_TAGS} of {len(by_key)} tags were taken.")
    return list(by_key.values())[:MAX_TAGS]


def _tag_names(names: Sequence[str], remarks: list[str]) -> Iterator[str]:
    for name in names:
        folded = fold_name(_clean(name))
        if len(folded) > MAX_TAG_LENGTH:
            remarks.append(f"A tag was cut to {MAX_TAG_LENGTH} characters.")
            folded = fold_name(folded[:MAX_TAG_LENGTH])
        if folded:
            yield folded


def _moment(moment: datetime | None, remarks: list[str]) -> datetime | None:
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        moment = datetime.max.replace(tzinfo=UTC)
    if moment == EPOCH:
        return None  # As many programs write that they do not know.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR or moment > utc_now() + AHEAD:
        remarks.append("Its date makes no sense, or lies ahead: it was saved as of today.")
        return None
    return moment
