"""The objects of a JSON file, one after another, however large the file is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import ijson
from ijson.common import ObjectBuilder

from backend.transfer.reading.lines import Utf8Reader
from backend.transfer.reading.links import record
from backend.transfer.records import ImportedBookmark, Record, UnreadableFile

MAX_DEPTH = 200
# Values inside one field that is read whole: 10,000 lists with 7 fields each.
MAX_VALUES = 100_000
BROKEN = "The JSON breaks off or is broken after object {}; what stands before it was read."
TOO_DEEP = f"The JSON is nested more than {MAX_DEPTH} levels deep."
TOO_MANY = f"A field of object {{}} holds more than {MAX_VALUES:,} values."

_STARTS = frozenset({"start_map", "start_array"})
_ENDS = frozenset({"end_map", "end_array"})


@dataclass(slots=True)
class JsonObject:
    """An object: its place among all (from 1), where it stands (such as `lists[].links[]`) and the fields asked for."""

    place: int
    path: str
    parent: JsonObject | None
    fields: dict[str, Any] = field(default_factory=dict)

    def text(self, *names: str) -> str:
        """Return the first of these fields that is text and not empty."""
        values = (self.fields.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), "")


def bookmark_reader(
    fields: Collection[str], paths: Collection[str], bookmark_of: Callable[[int, JsonObject], ImportedBookmark]
) -> Callable[[BinaryIO], Iterator[Record]]:
    """Make the reader of a format whose bookmarks are the objects at these paths, by their places from 1."""

    def read(file: BinaryIO) -> Iterator[Record]:
        for place, item in enumerate(json_objects(file, fields.__contains__, paths), 1):
            yield record(bookmark_of(place, item))

    return read


def json_objects(file: BinaryIO, selects: Callable[[str], bool], paths: Collection[str] = ()) -> Iterator[JsonObject]:
    """Yield every object at its end, inner ones first, with those of its fields that `selects` says yes to.

    A selected field is read whole; objects inside it do not come on their own. With `paths`, only objects that stand
    there have fields, and only they come. A text right inside the outermost list comes as an object with the field "".
    A file may hold several values, as JSON lines do.

    Raises:
        UnreadableFile: the JSON is broken, breaks off, or goes beyond the bounds.
    """
    source = Utf8Reader(file)
    walk = _Walk(selects, paths)
    try:
        # With floats: of a longer integer ijson's own code sets an exception that nobody can catch.
        for event, value in ijson.basic_parse(source, use_float=True, multiple_values=True):
            found = walk.take(event, value)
            if found is not None and (not paths or found.path in paths):
                yield found
    except (ijson.JSONError, ValueError) as error:
        raise UnreadableFile(BROKEN.format(walk.count)) from error
    finally:
        source.release()


class _Walk:
    """The objects that are open, and the selected field that is being read."""

    def __init__(self, selects: Callable[[str], bool], paths: Collection[str]) -> None:
        self.count = 0
        self._selects = selects
        self._paths = paths
        self._open: list[tuple[JsonObject, str, int]] = []  # With the key and the depth of lists around each.
        self._object: JsonObject | None = None
        self._key = ""
        self._depth = 0
        self._lists = 0
        self._builder: ObjectBuilder | None = None
        self._builder_depth = 0
        self._values = 0

    def take(self, event: str, value: Any) -> JsonObject | None:
        if event in _STARTS:
            self._go_deeper()
            self.count += event == "start_map"  # Also inside a selected field: a place is the same in every pass.
        elif event in _ENDS:
            self._depth -= 1
        if self._builder is not None:
            self._build(event, value)
            return None
        return self._step(event, value)

    def _step(self, event: str, value: Any) -> JsonObject | None:
        if event == "map_key":
            self._key = value
        elif event not in _ENDS and self._is_selected():
            self._take_field(event, value)
        elif event in _STARTS:
            self._enter(event)
        elif event in _ENDS:
            return self._leave(event)
        elif self._object is None and event == "string":
            self.count += 1
            return JsonObject(self.count, "[]", None, {"": _storable(value)})
        return None

    def _is_selected(self) -> bool:
        if self._object is None or self._lists or not self._selects(self._key):
            return False
        return not self._paths or self._object.path in self._paths

    def _go_deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableFile(TOO_DEEP)

    def _take_field(self, event: str, value: Any) -> None:
        assert self._object is not None
        if event not in _STARTS:
            self._object.fields[self._key] = _storable(value)
            return
        self._builder, self._builder_depth, self._values = ObjectBuilder(), self._depth, 0
        self._builder.event(event, value)

    def _build(self, event: str, value: Any) -> None:
        assert self._builder is not None
        assert self._object is not None
        self._values += 1
        if self._values > MAX_VALUES:
            raise UnreadableFile(TOO_MANY.format(self.count))
        self._builder.event(event, _storable(value))
        if event in _ENDS and self._depth < self._builder_depth:
            self._object.fields[self._key] = self._builder.value
            self._builder = None

    def _enter(self, event: str) -> None:
        if event == "start_array":
            self._lists += 1
            return
        if self._object is not None:
            self._open.append((self._object, self._key, self._lists))
        around = f"{self._object.path}.{self._key}" if self._object is not None and self._object.path else self._key
        self._object = JsonObject(self.count, around + "[]" * self._lists, self._object)
        self._key, self._lists = "", 0

    def _leave(self, event: str) -> JsonObject | None:
        if event == "end_array":
            self._lists -= 1
            return None
        found = self._object
        self._object, self._key, self._lists = self._open.pop() if self._open else (None, "", self._outermost())
        return found

    def _outermost(self) -> int:
        """Return how many lists are open outside of every object."""
        return self._depth


def _storable(value: Any) -> Any:
    """Take the NUL characters out of text: no database stores them."""
    return value.replace("\0", "") if isinstance(value, str) and "\0" in value else value
