"""The export of Readability, the reading list that closed in 2016."""

from __future__ import annotations

import html

from backend.transfer.reading.json_objects import JsonObject, bookmark_reader
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.moments import moment
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat

_FIELDS = frozenset({"article__url", "article__title", "article__excerpt", "date_added", "favorite", "archive", "tags"})
_LISTS = ("bookmarks[]", "[]")


def _detect(head: bytes) -> bool:
    return any(f"{items}.article__url" in json_paths(head) for items in _LISTS)


def _bookmark(place: int, item: JsonObject) -> ImportedBookmark:
    is_archived = flag(item.fields.get("archive"))
    return ImportedBookmark(
        place,
        item.text("article__url").strip(),
        title=item.text("article__title").strip(),
        description=html.unescape(item.text("article__excerpt")).strip(),
        tags=names(item.fields.get("tags")),
        created_at=moment(item.fields.get("date_added")),
        is_read=is_archived,
        is_favorite=flag(item.fields.get("favorite")),
        is_archived=is_archived,
    )


FORMAT = ImportFormat("readability_json", _detect, bookmark_reader(_FIELDS, _LISTS, _bookmark))
