"""Everything as JSON: bookmarks and, where no filter leaves any out, all that goes with them.

The document is one object, in this order: `format`, `version`, `exported_at`, `holds`, then a list for each name in
`holds`, one item a line. Ids are those of this server, good only to refer from one item to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from backend.clock import utc_now
from backend.transfer.export.projects import may_read
from backend.transfer.export.sections import Item, bookmark_items, feedback_items, project_items, tag_items, task_items
from backend.transfer.export.selection import ExportSelection

FORMAT, VERSION = "fuze", 1


def write_json(selection: ExportSelection) -> Iterator[str]:
    """Write the whole document."""
    sections = _sections(selection)
    head = {"format": FORMAT, "version": VERSION, "exported_at": utc_now(), "holds": list(sections)}
    yield _dump(head)[:-1]
    for name, batches in sections.items():
        yield f',\n"{name}":['
        yield from _items(batches)
        yield "]"
    yield "}\n"


def _sections(selection: ExportSelection) -> dict[str, Iterable[list[Item]]]:
    """Of a part of the bookmarks the file tells nothing but these and their projects."""
    is_whole = not selection.has_filters
    found: dict[str, Iterable[list[Item]]] = {}
    if is_whole:
        found["tags"] = tag_items(selection)
    if may_read(selection, "projects"):
        found["projects"] = project_items(selection)
    if is_whole and may_read(selection, "tasks"):
        found["tasks"] = task_items(selection)
    found["bookmarks"] = bookmark_items(selection)
    if is_whole and may_read(selection, "recommendations"):
        found["feedback"] = feedback_items(selection)
    return found


def _items(batches: Iterable[list[Item]]) -> Iterator[str]:
    before = "\n"
    for items in batches:
        yield before + ",\n".join(map(_dump, items))
        before = ",\n"


def _dump(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
