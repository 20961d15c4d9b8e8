"""The path of folders of a JSON object whose folders may be named after what they hold, so only a first pass knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backend.transfer.reading.json_objects import JsonObject
from backend.transfer.records import UnreadableFile

MAX_FOLDERS = 100_000
TOO_MANY = f"The file holds more than {MAX_FOLDERS:,} folders."


def folder_names(found: Iterable[JsonObject], name_of: Callable[[JsonObject], str]) -> dict[int, str]:
    """Return the names of folders by their places; objects without a name are none.

    Where the file breaks off, the folders that were closed before have names: the second pass reports the fault.
    """
    names: dict[int, str] = {}
    try:
        for node in found:
            if name := name_of(node).strip():
                names[node.place] = name
            if len(names) > MAX_FOLDERS:
                raise UnreadableFile(TOO_MANY)
    except UnreadableFile:
        if len(names) > MAX_FOLDERS:
            raise
    return names


def folders_of(node: JsonObject, names: dict[int, str]) -> tuple[str, ...]:
    """Return the names of the folders around an object, outermost first."""
    path: list[str] = []
    around = node.parent
    while around is not None:
        if name := names.get(around.place):
            path.append(name)
        around = around.parent
    return tuple(reversed(path))
