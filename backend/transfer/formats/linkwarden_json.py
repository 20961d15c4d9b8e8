"""Linkwarden's JSON: collections that name their parents, each with its links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.links import record
from backend.transfer.reading.moments import moment
from backend.transfer.reading.parents import Parents
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat, Record

_FIELDS = frozenset({"id", "name", "url", "description", "tags", "createdAt", "importDate"})
_OF_COLLECTIONS = frozenset({"id", "name", "parentId"})
_LINKS = "collections[].links[]"


@dataclass
class _Collections:
    """What stands around the links: the tree of collections, the id of each by its place, the ids of pinned links."""

    tree: Parents = field(default_factory=Parents)
    ids: dict[int, object] = field(default_factory=dict)
    pinned: set[object] = field(default_factory=set)


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return (
        _LINKS in paths
        or {"collections[].links", "collections[].name"} <= paths
        or {"collections", "username"} <= paths
    )


def _read(file: BinaryIO) -> Iterator[Record]:
    collections = _Collections()
    collections.tree.fill(item.fields for item in _outside_of_links(file, collections))
    for place, link in enumerate(json_objects(file, _FIELDS.__contains__, (_LINKS,)), 1):
        yield record(_bookmark(place, link, collections))


def _outside_of_links(file: BinaryIO, collections: _Collections) -> Iterator[JsonObject]:
    for item in json_objects(file, _OF_COLLECTIONS.__contains__):
        if item.path == "collections[]":
            collections.ids[item.place] = item.fields.get("id")
            yield item
        elif item.path == "pinnedLinks[]":
            collections.pinned.add(str(item.fields.get("id")))


def _bookmark(place: int, link: JsonObject, collections: _Collections) -> ImportedBookmark:
    assert link.parent is not None
    return ImportedBookmark(
        place,
        link.text("url").strip(),
        title=link.text("name").strip(),
        description=link.text("description").strip(),
        tags=names(link.fields.get("tags")),
        folders=collections.tree.path(collections.ids.get(link.parent.place)),
        created_at=moment(link.fields.get("importDate") or link.fields.get("createdAt")),
        is_favorite=str(link.fields.get("id")) in collections.pinned or None,
    )


FORMAT = ImportFormat("linkwarden_json", _detect, _read)
