"""What the fields of tables and lists mean, by the many names that products give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backend.transfer.reading.links import record
from backend.transfer.reading.moments import moment
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import folder_path, names
from backend.transfer.records import ImportedBookmark, Record

URL = (
    "url", "uri", "link", "href", "address", "web_address", "page_url", "website", "bookmark", "permalink",
    "given_url", "resolved_url",
)  # fmt: skip
TITLE = ("title", "name", "page_title", "resolved_title", "given_title", "link_title")
DESCRIPTION = ("description", "excerpt", "summary", "extended", "desc", "selection", "abstract")
NOTES = ("notes", "note", "comment", "comments", "annotation", "my_note")
TAGS = ("tags", "tag", "labels", "label", "keywords", "categories", "category", "tag_names", "topics")
FOLDER = ("folder", "folders", "collection", "path", "list", "group", "folder_path", "directory")
CREATED = (
    "created", "created_at", "time_added", "date_added", "add_date", "added", "added_at", "saved_at", "date_saved",
    "saved", "timestamp", "time", "date", "created_date", "date_created", "creation_date", "created_time", "added_on",
    "last_interaction_date",
)  # fmt: skip
READ = ("is_read", "read", "has_been_read", "read_at")
UNREAD = ("unread", "is_unread", "to_read", "toread", "read_later")
FAVORITE = (
    "favorite", "favourite", "is_favorite", "is_favourite", "favorited", "favourited", "starred", "is_starred",
    "is_fav", "important", "liked", "pinned",
)  # fmt: skip
ARCHIVED = ("archived", "is_archived", "archive", "in_archive")
STATUS = ("status", "state")

_ALL = frozenset({*URL, *TITLE, *DESCRIPTION, *NOTES, *TAGS, *FOLDER, *CREATED, *READ, *UNREAD, *FAVORITE, *ARCHIVED})
_CAPITAL_INSIDE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[\s\-.]+")
_LONGEST_NAME = 64


def field_name(written: str) -> str:
    """Write the name of a field like the others: `Date Added`, `dateAdded` and `date-added` are `date_added`."""
    split = _CAPITAL_INSIDE.sub("_", written[:_LONGEST_NAME].strip())
    return _BETWEEN_WORDS.sub("_", split).lower()


def has_meaning(written: str) -> bool:
    """Tell whether a field of this name says something about a bookmark."""
    name = field_name(written)
    return name in _ALL or name in STATUS


def bookmark_of(line: int, fields: Mapping[str, Any]) -> Record:
    """Make a bookmark of fields whose names are those of `field_name`."""
    state = str(_first(fields, STATUS) or "").strip().lower()
    is_archived = _state(state, fields, ARCHIVED, ("archive", "archived"))
    is_read = _state(state, fields, READ, ("read", "archive", "archived"), ("unread",))
    if is_read is None and (unread := flag(_first(fields, UNREAD))) is not None:
        is_read = not unread
    return record(
        ImportedBookmark(
            line,
            _text(fields, URL),
            title=_text(fields, TITLE),
            description=_text(fields, DESCRIPTION),
            notes=_text(fields, NOTES),
            tags=names(_first(fields, TAGS)),
            folders=_folders(_first(fields, FOLDER)),
            created_at=moment(_first(fields, CREATED)),
            is_read=is_read,
            is_favorite=_state(state, fields, FAVORITE, ("favorite", "favourite", "starred"), ()),
            is_archived=is_archived,
        )
    )


def _first(fields: Mapping[str, Any], candidates: tuple[str, ...]) -> Any:
    return next((fields[name] for name in candidates if fields.get(name) not in (None, "")), None)


def _text(fields: Mapping[str, Any], candidates: tuple[str, ...]) -> str:
    found = (fields[name] for name in candidates if isinstance(fields.get(name), str))
    return next((text for each in found if (text := each.strip())), "")


def _state(
    state: str,
    fields: Mapping[str, Any],
    candidates: tuple[str, ...],
    yes: tuple[str, ...],
    no: tuple[str, ...] = ("unread", "active", "read"),
) -> bool | None:
    """Read a flag of its own, else what the one field for all states says of it."""
    if (own := flag(_first(fields, candidates))) is not None:
        return own
    return True if state in yes else False if state in no else None


def _folders(value: object) -> tuple[str, ...]:
    return folder_path(value) if isinstance(value, str) else names(value)
