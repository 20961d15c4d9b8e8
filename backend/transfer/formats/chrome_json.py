"""The `Bookmarks` file in the profile of Chrome, Edge, Brave, Opera and Vivaldi."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.folder_tree import FolderTree
from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.links import record, skipped
from backend.transfer.reading.moments import chrome_moment
from backend.transfer.records import ImportedBookmark, ImportFormat, Record

DELETED = "It lies in the browser's trash."

_TRASH = "roots.trash."
_FIELDS = frozenset({"type", "name", "url", "date_added", "meta_info"})


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return "roots" in paths and any(path.startswith("roots.") for path in paths)


def _read(file: BinaryIO) -> Iterator[Record]:
    folders = FolderTree(json_objects(file, frozenset({"type", "name"}).__contains__), _folder_name)
    place = 0
    for node in json_objects(file, _FIELDS.__contains__):
        if node.fields.get("type", "url") == "url" and ("type" in node.fields or node.text("url")):
            place += 1
            if node.path.startswith(_TRASH):
                yield skipped(place, node.text("url"), DELETED)
                continue
            yield record(_bookmark(place, node, folders.path(node)))


def _folder_name(node: JsonObject) -> str:
    """Return the name that a person gave; the roots, such as the bookmarks bar, have theirs from the browser."""
    return (
        node.text("name") if node.path.endswith(".children[]") and node.fields.get("type", "folder") == "folder" else ""
    )


def _bookmark(place: int, node: JsonObject, folders: tuple[str, ...]) -> ImportedBookmark:
    about = node.fields.get("meta_info")
    return ImportedBookmark(
        place,
        node.text("url").strip(),
        title=node.text("name").strip(),
        description=str(about.get("Description", "")).strip() if isinstance(about, dict) else "",
        folders=folders,
        created_at=chrome_moment(node.fields.get("date_added")),
    )


FORMAT = ImportFormat("chrome_json", _detect, _read)
