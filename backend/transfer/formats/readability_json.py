"""The export of Readability, the reading list that closed in 2016."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.links import record
from backend.transfer.reading.moments import moment
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat, Record

_FIELDS = frozenset({"article__url", "article__title", "article__excerpt", "date_added", "favorite", "archive", "tags"})
_LISTS = ("bookmarks[]", "[]")


def _detect(head: bytes) -> bool:
    return any(f"{items}.article__url" in json_paths(head) for items in _LISTS)


def _read(file: BinaryIO) -> Iterator[Record]:
    items = (item for item in json_objects(file, _FIELDS.__contains__) if item.path in _LISTS)
    for place, item in enumerate(items, 1):
        yield record(_bookmark(place, item))


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


FORMAT = ImportFormat("readability_json", _detect, _read)
