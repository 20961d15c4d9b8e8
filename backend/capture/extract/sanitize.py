"""Sanitised reader HTML, safe to show in any client."""

from __future__ import annotations

import html

import nh3

from backend.capture.extract.preparation.mathml import TAGS as MATHML_TAGS
from backend.capture.extract.text import clean_text

MAX_HTML = 2_000_000  # Twice the longest text; with the median page it is 1.25 times.
MAX_REFERENCES = 100_000  # nh3 takes time quadratic in the number of "&": 0.3 s for this many.
_END_TAGS = 5_000  # Room for those that a cut leaves missing.
_LONGEST_ESCAPE = len("&amp;")
_MARKS = len("<p></p>")

_READING_TAGS = """
    a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins
    kbd li mark ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var
"""
_CLEANER = nh3.Cleaner(
    tags=set(_READING_TAGS.split()) | MATHML_TAGS,
    clean_content_tags={"script", "style", "template", "textarea", "noscript", "iframe", "object", "title"},
    attributes={"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "math": {"display"}}
    | {cell: {"colspan", "rowspan"} for cell in ("td", "th")},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)


def sanitize_html(markup: str) -> str:
    """Reduce `markup` to reading matter: no scripts, styles, forms or frames, no URLs but http(s).

    The result has at most MAX_HTML characters; longer markup is cut, with its elements closed.
    """
    clean = _CLEANER.clean(_cut(markup))
    if len(clean) > MAX_HTML:
        clean = _CLEANER.clean(_cut(clean)[: MAX_HTML - _END_TAGS])
    return clean_text(clean).strip()


def _cut(markup: str) -> str:
    parts = markup[:MAX_HTML].split("&", MAX_REFERENCES)
    return "&".join(parts[:MAX_REFERENCES])


def paragraphs_html(text: str) -> str:
    """Convert plain text to HTML of at most MAX_HTML characters: a paragraph for each block, a break for each line."""
    paragraphs: list[str] = []
    room = MAX_HTML
    for block in text.split("\n\n"):
        paragraph = _paragraph(block)
        if len(paragraph) > room:
            paragraphs.append(_paragraph(block[: (room - _MARKS) // _LONGEST_ESCAPE]))
            break
        paragraphs.append(paragraph)
        room -= len(paragraph) + 1
    return "\n".join(filter(None, paragraphs))


def lines_html(text: str) -> str:
    """Convert plain text whose blanks mean something to HTML of at most MAX_HTML characters."""
    escaped = html.escape(text.strip("\n"), quote=False)
    if len(escaped) > MAX_HTML - _END_TAGS:
        escaped = html.escape(text[: (MAX_HTML - _END_TAGS) // _LONGEST_ESCAPE], quote=False)
    return f"<pre>{escaped}</pre>" if escaped.strip() else ""


def _paragraph(block: str) -> str:
    lines = html.escape(block.strip("\n"), quote=False).replace("\n", "<br>")
    return f"<p>{lines}</p>" if lines.strip() else ""
