"""The folders around a JSON object. A folder may be named after what it holds, so only a first pass knows all names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backend.transfer.reading.json_objects import JsonObject
from backend.transfer.records import UnreadableFile

MAX_FOLDERS = 100_000
TOO_MANY = f"The file holds more than {MAX_FOLDERS:,} folders."


class FolderTree:
    """The names of folders by their places in the file."""

    def __init__(self, objects: Iterable[JsonObject], name_of: Callable[[JsonObject], str]) -> None:
        """Take the names of all folders; an object without a name is none.

        Where the file breaks off, those before have names: the second pass reports the fault.
        """
        self._names: dict[int, str] = {}
        self._parent: JsonObject | None = None
        self._path: tuple[str, ...] = ()
        try:
            for node in objects:
                self._take(node.place, name_of(node).strip())
        except UnreadableFile:
            if len(self._names) > MAX_FOLDERS:
                raise

    def _take(self, place: int, name: str) -> None:
        if name:
            self._names[place] = name
        if len(self._names) > MAX_FOLDERS:
            raise UnreadableFile(TOO_MANY)

    def path(self, node: JsonObject) -> tuple[str, ...]:
        """Return the names of the folders around an object, outermost first. Neighbours share one path."""
        if node.parent is not self._parent:
            self._parent, self._path = node.parent, self._path_to(node.parent)
        return self._path

    def _path_to(self, folder: JsonObject | None) -> tuple[str, ...]:
        path: list[str] = []
        while folder is not None:
            if name := self._names.get(folder.place):
                path.append(name)
            folder = folder.parent
        return tuple(reversed(path))
