"""Any other JSON of links: a list of objects whose fields have telling names (shiori, el Curator) or of texts, JSON
lines, or objects with addresses wherever they stand (Pocket's API)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import HEAD_BYTES, LONG_HEAD_BYTES
from backend.transfer.reading.field_names import FOLDER, URL, bookmark_of, field_name, has_meaning
from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.records import ImportFormat, Record

_MOST_LISTS_AROUND = 2


def _detect(head: bytes) -> bool:
    return "[]" in json_paths(head) or bool(_objects_with_addresses(head))


def _objects_with_addresses(head: bytes) -> set[str]:
    """Return the paths of the objects that have addresses; that of an object outside of all others is empty."""
    parts = (path.rpartition(".") for path in json_paths(head))
    return {around for around, _, name in parts if field_name(name) in URL and not name.endswith("[]")}


def _where_links_are(head: bytes) -> tuple[str, ...]:
    """Return the path of the outermost list whose objects have addresses, or of the values of JSON lines, else none."""
    found = _objects_with_addresses(head)
    lists = [path for path in found if path.endswith("[]") and path.count("[]") <= _MOST_LISTS_AROUND]
    if lists:
        return (min(lists, key=lambda path: (path.count("."), path)),)
    if "" in found:
        return ("",)
    return ("[]",) if "[]" in json_paths(head) else ()


def _read(file: BinaryIO) -> Iterator[Record]:
    file.seek(0)
    head = file.read(LONG_HEAD_BYTES)
    paths = _where_links_are(head[:HEAD_BYTES]) or _where_links_are(head)
    items = json_objects(file, has_meaning, paths) if paths else _wherever_they_are(file)
    for place, item in enumerate(items, 1):
        yield bookmark_of(place, _fields(item))


def _wherever_they_are(file: BinaryIO) -> Iterator[JsonObject]:
    """Yield all objects with addresses. The names of folders are also those of objects that hold others."""
    for item in json_objects(file, lambda name: has_meaning(name) and field_name(name) not in FOLDER):
        if any(field_name(name) in URL for name in item.fields):
            yield item


def _fields(item: JsonObject) -> dict[str, object]:
    if "" in item.fields:
        return {"url": item.fields[""]}
    return {field_name(name): value for name, value in item.fields.items()}


FORMAT = ImportFormat("json", _detect, _read)
