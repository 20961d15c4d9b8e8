"""The links of Shaarli's API; its file of links, a Netscape file, is read by `netscape_html`."""

from __future__ import annotations

from backend.transfer.reading.json_objects import JsonObject, bookmark_reader
from backend.transfer.reading.json_shape import json_paths
from backend.transfer.reading.moments import moment
from backend.transfer.reading.tag_names import names
from backend.transfer.records import ImportedBookmark, ImportFormat

_FIELDS = frozenset({"url", "title", "description", "tags", "created"})


def _detect(head: bytes) -> bool:
    return {"[].shorturl", "[].url"} <= json_paths(head)


def _bookmark(place: int, item: JsonObject) -> ImportedBookmark:
    return ImportedBookmark(
        place,
        item.text("url").strip(),
        title=item.text("title").strip(),
        description=item.text("description").strip(),
        tags=names(item.fields.get("tags")),
        created_at=moment(item.fields.get("created")),
    )


FORMAT = ImportFormat("shaarli_json", _detect, bookmark_reader(_FIELDS, ("[]",), _bookmark))
