"""What comes out of reading a fetched page: its text, what is stored of its words, or why there is nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from backend.bookmarks.search_documents import PageIndex
from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.outbound.failures import FetchError


@dataclass(frozen=True)
class IndexedPage:
    """A page as it is stored: what it says, and the index of its words."""

    page: ExtractedPage
    index: PageIndex


# How reading ends: with a page, with no text by nature, with a page that cannot be read, or with none for now.
ExtractionResult = IndexedPage | UnsupportedMedia | UnreadablePage | FetchError


def to_json(reading: ExtractionResult) -> bytes:
    """A reading as bytes: whoever reads them runs nothing that is in them."""
    match reading:
        case IndexedPage():
            found = {"page": asdict(reading.page), "index": asdict(reading.index)}
            found["page"]["published_at"] = reading.page.published_at and reading.page.published_at.isoformat()
        case UnsupportedMedia():
            found = {"unsupported": {"media_type": reading.media_type}}
        case UnreadablePage():
            found = {"unreadable": {"reason": reading.reason}}
        case FetchError():
            found = {"failed": {"reason": reading.reason}}
    return json.dumps(found).encode()


def from_json(content: bytes | bytearray) -> ExtractionResult:
    """The reading that `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    found: dict[str, dict[str, Any]] = json.loads(content)
    if "page" in found:
        at = found["page"]["published_at"]
        page = ExtractedPage(**found["page"] | {"published_at": at and datetime.fromisoformat(at)})
        return IndexedPage(page, PageIndex(**found["index"]))
    if "unsupported" in found:
        return UnsupportedMedia(found["unsupported"]["media_type"])
    if "unreadable" in found:
        return UnreadablePage(found["unreadable"]["reason"])
    return FetchError(found["failed"]["reason"], retryable=True)
