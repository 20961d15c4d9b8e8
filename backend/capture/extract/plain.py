"""Text files, data files and feeds: all of their text, without a search for an article."""

from __future__ import annotations

import json
import re

from backend.capture.extract.page import MAX_TITLE, ExtractedPage
from backend.capture.extract.sanitize import lines_html, paragraphs_html
from backend.capture.extract.scan import scan_xml
from backend.capture.extract.text import MAX_TEXT, clean_paragraphs, count_words, cut_line, first_line

_INDENTED = re.compile(r"^(?: {2}|\t)[ \t]*\S", re.MULTILINE)  # Source code, tables and RFCs mean something by it.

RFC_BEGINNING = 4_000  # Characters.
_RFC_NUMBER = re.compile(r"^Request for Comments: *(\d{1,5})\b", re.MULTILINE)
_CENTRED = re.compile(r"(?<=\n\n)(?:[ \t]{5,}\S.*\n)+")


def read_plain(text: str) -> ExtractedPage:
    """Read a text or Markdown file, titled by its first line, or as an RFC by its number and title."""
    title = _rfc_title(text) or first_line(text)
    return _page(title and title.lstrip("# ").rstrip("# "), text.strip("\n"))


def _rfc_title(text: str) -> str | None:
    """Return the title of an RFC, which stands centred below the lines of the header."""
    beginning = text[:RFC_BEGINNING]
    if not (number := _RFC_NUMBER.search(beginning)):
        return None
    titles = _CENTRED.search(beginning, number.end())
    return titles and f"RFC {number[1]}: {' '.join(titles[0].split())}"


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
