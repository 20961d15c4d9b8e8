"""Reader HTML that any client may show as it is."""

import html

import nh3

from backend.bookmarks.capture.text import clean_text

MAX_HTML = 2_000_000  # Twice the longest text: markup of a real article is shorter than its words.
_OPEN_TAGS = 5_000  # Room for the end tags that a cut leaves missing.

_READING_TAGS = """
    a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins
    kbd li mark ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var
"""
_CLEANER = nh3.Cleaner(
    tags=set(_READING_TAGS.split()),
    clean_content_tags={"script", "style", "template", "textarea", "noscript", "iframe", "object", "title"},
    attributes={"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
    | {cell: {"colspan", "rowspan"} for cell in ("td", "th")},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)


def sanitize_html(markup: str) -> str:
    """`markup` reduced to what serves reading: no scripts, styles, forms or frames, no addresses but http(s).

    The result is at most MAX_HTML characters; what is longer is cut, with its elements closed.
    """
    clean = _CLEANER.clean(markup[:MAX_HTML])
    if len(clean) > MAX_HTML:
        clean = _CLEANER.clean(clean[: MAX_HTML - _OPEN_TAGS])
    return clean_text(clean).strip()


def paragraphs_html(text: str) -> str:
    """Plain text as HTML: a paragraph for each block, a break for each line."""
    blocks = (html.escape(block.strip("\n"), quote=False) for block in text.split("\n\n") if block.strip())
    markup = "\n".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks)
    return markup if len(markup) <= MAX_HTML else sanitize_html(markup)
