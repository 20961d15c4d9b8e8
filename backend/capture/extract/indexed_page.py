"""Extraction and indexing of a fetched page. Imported only where pages are read: its libraries take 60 MB."""

from __future__ import annotations

from backend.bookmarks.document_analysis import index_page
from backend.capture.extract.page import UnreadablePage, UnsupportedMedia
from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.reading import ExtractionResult, IndexedPage
from backend.capture.fetch import FetchedPage
from backend.outbound.failures import FetchError, broken_body

WARM_UP_PAGE = b"""<!doctype html><html lang="en"><head><title>Warm-up</title></head><body><article>
<p>A short page of our own, read before the first one, so that word lists and patterns are in memory.</p>
</article></body></html>"""


def read_page(fetched: FetchedPage, page_average: float | None) -> ExtractionResult:
    """Extract and index a fetched page; `page_average` is the mean length of the organization's pages, if it is
    known."""
    try:
        page = extract_page(
            fetched.body,
            url=fetched.url,
            media_type=fetched.media_type,
            charset=fetched.charset,
            truncated=fetched.truncated,
            requested_url=fetched.requested_url,
            headers=fetched.headers,
        )
    except (UnsupportedMedia, UnreadablePage, FetchError) as failure:
        return broken_body() if fetched.broken_off and not isinstance(failure, FetchError) else failure
    if fetched.broken_off and not page.text:
        return broken_body()
    return IndexedPage(page, index_page(page.text, page.language, page_average), _note(fetched))


def _note(fetched: FetchedPage) -> str | None:
    if fetched.broken_off:
        return "The page was cut off: the site sent only a part of it."
    return "The page was cut off: it is longer than what is read of one." if fetched.truncated else None


def warm_up() -> None:
    """Load the libraries of extraction: half a second, before the first page."""
    read_page(FetchedPage("https://example.org/", 200, "text/html", "utf-8", WARM_UP_PAGE, False), None)
