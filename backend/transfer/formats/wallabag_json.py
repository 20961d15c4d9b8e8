"""wallabag's JSON: version 1 with `is_read` and `is_fav`, 2 with `is_archived`, `is_starred` and annotations."""

from __future__ import annotations

from typing import Any

from backend.transfer.reading.json_objects import JsonObject, bookmark_reader
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.moments import moment
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat

_FIELDS = frozenset(
    {"title", "url", "tags", "is_read", "is_fav", "is_archived", "is_starred", "created_at", "annotations", "given_url"}
)
# Version 1 writes each field twice, by number first; the text of the first page may hide the names.
_BY_NUMBER = {"[].0", "[].1", "[].2"}
_STATES = {"[].is_read", "[].is_fav", "[].is_archived", "[].is_starred"}


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return paths >= _BY_NUMBER or len(_STATES & paths) > 1


def _bookmark(place: int, item: JsonObject) -> ImportedBookmark:
    """Make a bookmark; what wallabag calls archived (version 2) or read (version 1) is the same button: both."""
    is_done = flag(item.fields.get("is_archived", item.fields.get("is_read")))
    return ImportedBookmark(
        place,
        item.text("url", "given_url").strip(),
        title=item.text("title").strip(),
        notes=_notes(item.fields.get("annotations")),
        tags=names(item.fields.get("tags")),
        created_at=moment(item.fields.get("created_at")),
        is_read=is_done,
        is_favorite=flag(item.fields.get("is_starred", item.fields.get("is_fav"))),
        is_archived=is_done,
    )


def _notes(annotations: Any) -> str:
    """Write each annotation as a quotation with its remark below."""
    found = annotations if isinstance(annotations, list) else ()
    return "\n\n".join(note for each in found if isinstance(each, dict) and (note := _note(each)))


def _note(annotation: dict[str, Any]) -> str:
    quotation, remark = (str(annotation.get(name) or "").strip() for name in ("quote", "text"))
    return "\n".join(part for part in (quotation and f"> {quotation}", remark) if part)


FORMAT = ImportFormat("wallabag_json", _detect, bookmark_reader(_FIELDS, ("[]",), _bookmark))
