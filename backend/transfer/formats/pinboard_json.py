"""Pinboard's JSON, and that of delicious-like services: a list whose titles are called descriptions."""

from __future__ import annotations

from backend.transfer.reading.json_objects import JsonObject, bookmark_reader
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.moments import moment
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import comma_or_space_names
from backend.transfer.records import ImportedBookmark, ImportFormat

_FIELDS = frozenset({"href", "description", "extended", "tags", "tag", "time", "toread"})
_LISTS = ("[]", "posts[]")


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return any({f"{items}.href", f"{items}.description"} <= paths for items in _LISTS)


def _bookmark(place: int, item: JsonObject) -> ImportedBookmark:
    to_read = flag(item.fields.get("toread"))
    return ImportedBookmark(
        place,
        item.text("href").strip(),
        title=item.text("description").strip(),
        description=item.text("extended").strip(),
        tags=comma_or_space_names(item.text("tags", "tag")),
        created_at=moment(item.fields.get("time")),
        is_read=None if to_read is None else not to_read,
    )


FORMAT = ImportFormat("pinboard_json", _detect, bookmark_reader(_FIELDS, _LISTS, _bookmark))
