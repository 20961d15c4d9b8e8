"""Lists and collections that name their parents by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backend.transfer.records import UnreadableFile

MAX_LISTS = 100_000
MAX_DEPTH = 100
TOO_MANY = f"The file holds more than {MAX_LISTS:,} lists."


class Parents:
    """The names and parents of lists, by id."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[str, str]] = {}

    def fill(self, nodes: Iterable[Mapping[str, Any]]) -> None:
        """Take the fields `id`, `name` and `parentId` of each list; where the file breaks off, those before count."""
        try:
            for fields in nodes:
                self._take(fields)
        except UnreadableFile:
            if len(self._lists) >= MAX_LISTS:
                raise

    def _take(self, fields: Mapping[str, Any]) -> None:
        if len(self._lists) >= MAX_LISTS:
            raise UnreadableFile(TOO_MANY)
        name = fields.get("name")
        if isinstance(name, str) and name.strip():
            self._lists[str(fields.get("id"))] = (name.strip(), str(fields.get("parentId")))

    def path(self, identifier: object) -> tuple[str, ...]:
        """Return the names from the outermost list to this one; a list that is its own ancestor ends the path."""
        path: list[str] = []
        seen: set[str] = set()
        current = str(identifier)
        while current in self._lists and current not in seen and len(path) < MAX_DEPTH:
            seen.add(current)
            name, current = self._lists[current]
            path.append(name)
        return tuple(reversed(path))
