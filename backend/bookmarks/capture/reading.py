"""Reading a fetched page: its text, and what is stored of its words, with the ways in which that fails."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from backend.bookmarks.capture.extract import ExtractedPage, UnreadablePage, UnsupportedMedia, extract_page
from backend.bookmarks.capture.fetch import FetchedPage
from backend.bookmarks.fulltext.documents import PageIndex, index_page
from backend.outbound.failures import FetchError

WARM_UP_PAGE = b"""<!doctype html><html lang="en"><head><title>Warm-up</title></head><body><article>
<p>A short page of our own, read before the first one, so that word lists and patterns are in memory.</p>
</article></body></html>"""


@dataclass(frozen=True)
class ReadPage:
    """A page as it is stored: what it says, and the index of its words."""

    page: ExtractedPage
    index: PageIndex


# How reading ends: with a page, with no text by nature, with a page that cannot be read, or with none for now.
Reading = ReadPage | UnsupportedMedia | UnreadablePage | FetchError


def read_page(fetched: FetchedPage, page_average: float | None) -> Reading:
    """The page in what was fetched; `page_average` is the mean length of the organization's pages, if it is known."""
    try:
        page = extract_page(
            fetched.body,
            url=fetched.url,
            media_type=fetched.media_type,
            charset=fetched.charset,
            truncated=fetched.truncated,
        )
    except (UnsupportedMedia, UnreadablePage) as failure:
        return failure
    return ReadPage(page, index_page(page.text, page.language, page_average))


def warm_up() -> None:
    """Load what reading needs: half a second, for the first page."""
    read_page(FetchedPage("https://example.org/", 200, "text/html", "utf-8", WARM_UP_PAGE, False), None)


def to_json(reading: Reading) -> bytes:
    """A reading as bytes: whoever reads them runs nothing that is in them."""
    match reading:
        case ReadPage():
            found = {"page": asdict(reading.page), "index": asdict(reading.index)}
            found["page"]["published_at"] = reading.page.published_at and reading.page.published_at.isoformat()
        case UnsupportedMedia():
            found = {"unsupported": {"media_type": reading.media_type}}
        case UnreadablePage():
            found = {"unreadable": {"reason": reading.reason}}
        case FetchError():
            found = {"failed": {"reason": reading.reason}}
    return json.dumps(found).encode()


def from_json(content: bytes | bytearray) -> Reading:
    """The reading that `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    found: dict[str, dict[str, Any]] = json.loads(content)
    if "page" in found:
        at = found["page"]["published_at"]
        page = ExtractedPage(**found["page"] | {"published_at": at and datetime.fromisoformat(at)})
        return ReadPage(page, PageIndex(**found["index"]))
    if "unsupported" in found:
        return UnsupportedMedia(found["unsupported"]["media_type"])
    if "unreadable" in found:
        return UnreadablePage(found["unreadable"]["reason"])
    return FetchError(found["failed"]["reason"], retryable=True)
