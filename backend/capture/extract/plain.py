"""Text files, data files and feeds: all of their text, without a search for an article."""

from __future__ import annotations

import json
import re

from backend.capture.extract.page import MAX_TITLE, ExtractedPage
from backend.capture.extract.sanitize import lines_html, paragraphs_html
from backend.capture.extract.scan import scan_xml
from backend.capture.extract.text import MAX_TEXT, clean_paragraphs, count_words, cut_line, first_line

_INDENTED = re.compile(r"^(?: {2}|\t)[ \t]*\S", re.MULTILINE)  # Source code, tables and RFCs mean something by it.


def read_plain(text: str) -> ExtractedPage:
    """Read a text or Markdown file, titled by its first line."""
    title = first_line(text)
    return _page(title and title.lstrip("# ").rstrip("# "), text.strip("\n"))


def read_json(text: str) -> ExtractedPage:
    """Read a JSON file, titled by its own `title` or `name`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    stated = (data.get("title"), data.get("name")) if isinstance(data, dict) else ()
    return _page(next((title for title in stated if isinstance(title, str)), None), text)


def read_xml(text: str) -> ExtractedPage:
    """Read a feed or other XML file, titled by its first `title` element, without the markup."""
    scan = scan_xml(text)
    return _page(scan.title, clean_paragraphs(scan.text))


def _page(title: str | None, text: str) -> ExtractedPage:
    text = text[:MAX_TEXT]
    return ExtractedPage(
        title=cut_line(title, MAX_TITLE),
        author=None,
        site_name=None,
        description=None,
        published_at=None,
        language=None,
        image_url=None,
        text=text,
        html=lines_html(text) if _INDENTED.search(text) else paragraphs_html(text),
        word_count=count_words(text),
    )
