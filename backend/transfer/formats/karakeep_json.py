"""Karakeep's (earlier Hoarder's) JSON: bookmarks, and after them the lists that they name by id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.links import record, skipped
from backend.transfer.reading.moments import moment
from backend.transfer.reading.parents import Parents
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat, Record

NOT_A_LINK = "It is a note or a file, not a link."

_FIELDS = frozenset({"createdAt", "title", "tags", "content", "note", "archived", "favourited", "summary", "lists"})
_OF_LISTS = frozenset({"id", "name", "parentId", "type"})


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    is_filled = "bookmarks[].content" in paths and bool({"bookmarks[].createdAt", "bookmarks[].tags"} & paths)
    return is_filled or {"bookmarks[]", "lists[]"} <= paths


def _read(file: BinaryIO) -> Iterator[Record]:
    lists = _lists(file)
    for place, item in enumerate(json_objects(file, _FIELDS.__contains__, ("bookmarks[]",)), 1):
        yield _record(place, item, lists)


def _lists(file: BinaryIO) -> Parents:
    """Read the lists that people fill themselves; a smart list is a query and holds nothing."""
    lists = Parents()
    found = json_objects(file, _OF_LISTS.__contains__, ("lists[]",))
    lists.fill(item.fields for item in found if item.text("type") != "smart")
    return lists


def _record(place: int, item: JsonObject, lists: Parents) -> Record:
    content = item.fields.get("content")
    url = content.get("url") if isinstance(content, dict) else None
    if not isinstance(url, str) or not url:
        return skipped(place, item.text("title"), NOT_A_LINK)
    return record(_bookmark(place, url.strip(), item, lists))


def _bookmark(place: int, url: str, item: JsonObject, lists: Parents) -> ImportedBookmark:
    first, more = _places(item.fields.get("lists"), lists)
    return ImportedBookmark(
        place,
        url,
        title=item.text("title").strip(),
        description=item.text("summary").strip(),
        notes=item.text("note").strip(),
        tags=tuple(dict.fromkeys((*names(item.fields.get("tags")), *more))),
        folders=first,
        created_at=moment(item.fields.get("createdAt")),
        is_favorite=flag(item.fields.get("favourited")),
        is_archived=flag(item.fields.get("archived")),
    )


def _places(ids: Any, lists: Parents) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the path of the first list, and the names of the others: a bookmark lies in one path of folders."""
    paths = [path for each in (ids if isinstance(ids, list) else ()) if (path := lists.path(each))]
    return (paths[0] if paths else ()), tuple(path[-1] for path in paths[1:])


FORMAT = ImportFormat("karakeep_json", _detect, _read)
