"""Firefox's backup: a tree of containers and places, with microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from backend.transfer.reading.folder_tree import FolderTree
from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.links import record
from backend.transfer.reading.moments import moment
from backend.transfer.reading.tag_names import comma_names
from backend.transfer.records import ImportedBookmark, ImportFormat, Record

_PLACE = "text/x-moz-place"
_CONTAINER = "text/x-moz-place-container"
_DESCRIPTION = "bookmarkProperties/description"
_FIELDS = frozenset({"type", "title", "uri", "dateAdded", "tags", "annos"})
_OF_FOLDERS = frozenset({"type", "title", "root", "guid"})
# Before version 58 a tag was a folder in here, with each of its places once more.
_TAGS_FOLDER = "tags\0"


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return "children" in paths and bool({"guid", "root", "type"} & paths) and "roots" not in paths


def _read(file: BinaryIO) -> Iterator[Record]:
    folders = FolderTree(json_objects(file, _OF_FOLDERS.__contains__), _folder_name)
    place = 0
    for node in json_objects(file, _FIELDS.__contains__):
        if node.fields.get("type") == _PLACE or node.fields.get("uri"):
            place += 1
            yield record(_bookmark(place, node, folders.path(node)))


def _folder_name(node: JsonObject) -> str:
    """Return the name that a person gave; the roots, such as the toolbar, have theirs from the browser."""
    if node.fields.get("type") != _CONTAINER:
        return ""
    if node.text("root") == "tagsFolder" or node.text("guid") == "tags________":
        return _TAGS_FOLDER
    return "" if node.text("root") or node.text("guid").endswith("__") or node.parent is None else node.text("title")


def _bookmark(place: int, node: JsonObject, folders: tuple[str, ...]) -> ImportedBookmark:
    is_tagging = folders[:1] == (_TAGS_FOLDER,)
    return ImportedBookmark(
        place,
        node.text("uri").strip(),
        title=node.text("title").strip(),
        description=_description(node.fields.get("annos")),
        tags=folders[1:] if is_tagging else comma_names(node.text("tags")),
        folders=() if is_tagging else folders,
        created_at=moment(node.fields.get("dateAdded")),
    )


def _description(annotations: Any) -> str:
    descriptions = (each for each in annotations or () if isinstance(each, dict) and each.get("name") == _DESCRIPTION)
    return next((str(each.get("value") or "").strip() for each in descriptions), "")


FORMAT = ImportFormat("firefox_json", _detect, _read)
