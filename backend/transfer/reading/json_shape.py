"""What a JSON file's start tells of its shape: by this its format is recognised."""

from __future__ import annotations

import functools
import io
import re
from contextlib import suppress
from typing import Any

import ijson

from backend.transfer.reading.encodings import head_text

_MAX_DEPTH = 40
# A list of links holds objects, lists or texts: `[Title](https://…)` and `[InternetShortcut]` are none.
_BEGINS = re.compile(r'\s*(?:\{\s*(?:["}]|\Z)|\[[\s\[]*(?:[{"\]]|\Z))')


@functools.lru_cache(maxsize=2)
def json_paths(head: bytes) -> frozenset[str]:
    """Return the paths of all fields that the start of a JSON file shows, such as `lists[].links[].url`.

    A start of something else has none. Objects have a path too, and `[]` alone is a list on the outside.
    """
    text = head_text(head)
    if not _BEGINS.match(text):
        return frozenset()
    shape = _Shape()
    with suppress(ijson.JSONError, ValueError, _DeepEnough):  # The start ends in the middle; what it showed counts.
        for event, value in ijson.basic_parse(io.BytesIO(text.encode()), use_float=True, multiple_values=True):
            shape.take(event, value)
    return frozenset(shape.paths)


class _DeepEnough(Exception):
    """No format is told by what lies as deep as this."""


class _Shape:
    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._around: list[str] = []
        self._path = ""

    def take(self, event: str, value: Any) -> None:
        if event == "map_key":
            self._path = f"{self._around[-1]}.{value}".lstrip(".")
            self.paths.add(self._path)
        elif event in ("start_map", "start_array"):
            self._enter(event)
        elif event in ("end_map", "end_array"):
            self._path = self._around.pop()

    def _enter(self, event: str) -> None:
        if len(self._around) == _MAX_DEPTH:
            raise _DeepEnough
        outside = self._path
        if event == "start_array":
            self._path += "[]"
        self.paths.add(self._path)
        self._around.append(self._path if event == "start_map" else outside)
