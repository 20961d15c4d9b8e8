"""Results of extraction, and their JSON form for the way between processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from backend.bookmarks.document_analysis import PageIndex
from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.outbound.failures import FetchError

LARGE_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class IndexedPage:
    """An extracted page with the index of its words, and a note for the person where the page is incomplete."""

    page: ExtractedPage
    index: PageIndex
    note: str | None = None

    @property
    def is_large(self) -> bool:
        """Whether text and HTML take megabytes."""
        return len(self.page.text) + len(self.page.html) > LARGE_CHARACTERS


# A page, a media type without text, a page that cannot be read, or a failure that may pass.
ExtractionResult = IndexedPage | UnsupportedMedia | UnreadablePage | FetchError


def to_json(result: ExtractionResult) -> bytes:
    """Serialise a result; JSON, since unpickling could execute code of a hostile page's process."""
    match result:
        case IndexedPage():
            page = asdict(result.page)
            page["published_at"] = result.page.published_at and result.page.published_at.isoformat()
            content: dict[str, Any] = {"page": page, "index": asdict(result.index), "note": result.note}
        case UnsupportedMedia():
            content = {"unsupported": {"media_type": result.media_type}}
        case UnreadablePage():
            content = {"unreadable": {"reason": result.reason}}
        case FetchError():
            content = {"failed": {"reason": result.reason}}
    # Escapes would make three times the bytes of a Chinese text. The index may hold half of a surrogate pair.
    return json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")


def from_json(content: bytes | bytearray) -> ExtractionResult:
    """Parse what `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: the content is malformed.
    """
    fields: dict[str, Any] = json.loads(content)
    if "page" in fields:
        published_at = fields["page"]["published_at"]
        page = ExtractedPage(**fields["page"] | {"published_at": published_at and datetime.fromisoformat(published_at)})
        return IndexedPage(page, PageIndex(**fields["index"]), fields["note"])
    if "unsupported" in fields:
        return UnsupportedMedia(fields["unsupported"]["media_type"])
    if "unreadable" in fields:
        return UnreadablePage(fields["unreadable"]["reason"])
    return FetchError(fields["failed"]["reason"], retryable=True)
