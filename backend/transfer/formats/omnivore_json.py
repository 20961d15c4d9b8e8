"""Omnivore's `metadata_*_to_*.json`; the whole export, a zip, is read by `zip_archive`."""

from __future__ import annotations

from backend.transfer.reading.json_objects import JsonObject, bookmark_reader
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.moments import moment
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat

_FIELDS = frozenset(
    {"title", "description", "url", "originalArticleUrl", "state", "labels", "savedAt", "note", "isArchived"}
)
_OWN = {"[].savedAt", "[].labels", "[].state", "[].slug"}
_READ_ARCHIVED = {"Archived": True, "Active": False}


def _detect(head: bytes) -> bool:
    paths = json_paths(head)
    return "[].savedAt" in paths and len(_OWN & paths) > 1


def _bookmark(place: int, item: JsonObject) -> ImportedBookmark:
    state = item.text("state").capitalize()
    return ImportedBookmark(
        place,
        item.text("url", "originalArticleUrl").strip(),
        title=item.text("title").strip(),
        description=item.text("description").strip(),
        notes=item.text("note").strip(),
        tags=names(item.fields.get("labels")),
        created_at=moment(item.fields.get("savedAt")),
        is_archived=_READ_ARCHIVED.get(state, item.fields.get("isArchived")),
    )


FORMAT = ImportFormat("omnivore_json", _detect, bookmark_reader(_FIELDS, ("[]",), _bookmark))
