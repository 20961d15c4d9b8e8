"""Any other JSON list of links: objects whose fields have telling names (shiori, el Curator), or texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import HEAD_BYTES, LONG_HEAD_BYTES
from backend.transfer.reading.field_names import URL, bookmark_of, field_name, has_meaning
from backend.transfer.reading.json_objects import JsonObject, json_objects
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.records import ImportFormat, Record

_MOST_LISTS_AROUND = 2


def _detect(head: bytes) -> bool:
    return "[]" in json_paths(head) or _list_of_links(head) is not None


def _list_of_links(head: bytes) -> str | None:
    """Return the path of the outermost list whose objects have addresses."""
    parents = (path.rpartition(".") for path in json_paths(head))
    lists = {around for around, _, name in parents if around.endswith("[]") and field_name(name) in URL}
    found = sorted(
        (path for path in lists if path.count("[]") <= _MOST_LISTS_AROUND), key=lambda path: (path.count("."), path)
    )
    return found[0] if found else None


def _where_links_are(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(LONG_HEAD_BYTES)
    return _list_of_links(head[:HEAD_BYTES]) or _list_of_links(head) or "[]"


def _read(file: BinaryIO) -> Iterator[Record]:
    links = _where_links_are(file)
    for place, item in enumerate(json_objects(file, has_meaning, (links,)), 1):
        yield bookmark_of(place, _fields(item))


def _fields(item: JsonObject) -> dict[str, object]:
    if "" in item.fields:
        return {"url": item.fields[""]}
    return {field_name(name): value for name, value in item.fields.items()}


FORMAT = ImportFormat("json", _detect, _read)
