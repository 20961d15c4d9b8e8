"""Article extraction: the main text of an HTML page, and HTML for reading it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import trafilatura
from loguru import logger
from lxml import etree, html  # type: ignore[import-untyped]
from trafilatura.meta import reset_caches
from trafilatura.settings import Document

from backend.capture.extract.byline import shown_author, shown_date
from backend.capture.extract.sanitize import sanitize_html
from backend.capture.extract.scan import MAX_SCANNED_TEXT, PageScan, scan_html
from backend.capture.extract.urls import absolute_url

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # It logs an error for each malformed page.

Result = TypeVar("Result")

MAX_WEIGHT = 400_000  # Some 3 s of trafilatura's time on the worst pages; the median page weighs 13,000.
MAX_DEPTH = 250  # libxml2 cuts a tree off at 256.
MAX_ATTRIBUTES = 1_000  # Of one element; libxml2 looks one up in linear time.
LARGE_PAGE = 1_000_000  # trafilatura caches the last thousand strings; after a large page its caches are reset.

_STAND_INS = range(0x14400, 0x14647)  # Anatolian hieroglyphs
_EMPHASIS = {"#b": "strong", "#i": "em", "#u": "u", "#t": "code", "#sub": "sub", "#sup": "sup"}
_NAMES = {"lb": "br", "graphic": "img", "ref": "a", "row": "tr"}
_BLOCKS = frozenset(("body", "div", "quote", "blockquote", "li", "td", "th"))


@dataclass(frozen=True)
class Article:
    """The text without captions, which need their picture; sanitised HTML with both."""

    text: str
    html: str
    author: str | None
    published_at: datetime | None


def read_article(markup: str, scan: PageScan, base_url: str) -> Article | None:
    """Extract the main content of the page; None when there is none, or the page is too large."""
    if _is_too_large(scan):
        return None
    try:
        return _attempt(_read, markup, scan, base_url)
    finally:
        if len(markup) > LARGE_PAGE:
            reset_caches()


def _attempt(read: Callable[..., Result | None], *arguments: object) -> Result | None:
    """Call `read`; None where a library fails on the page, since the rest of the page is still of use."""
    try:
        return read(*arguments)
    except Exception:
        logger.opt(exception=True).warning("{} failed on a page", read.__name__)
        return None


def _is_too_large(scan: PageScan) -> bool:
    return (
        scan.weight > MAX_WEIGHT
        or scan.depth > MAX_DEPTH
        or scan.most_attributes > MAX_ATTRIBUTES
        or len(scan.text) > MAX_SCANNED_TEXT
    )


def _read(markup: str, scan: PageScan, base_url: str) -> Article | None:
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(markup.encode(), parser)
    except etree.ParserError:  # There is no element in it.
        return None
    stand_ins = _stand_ins(scan.text)
    _translate(tree, stand_ins)
    _make_absolute(tree, base_url)
    _mark_code(tree)
    text = scan_html(_restored(_extract(tree, rich=False), stand_ins)).text
    if not text:
        return None
    rich = _extract(tree, rich=True)
    return Article(
        text=text,
        html=sanitize_html(_restored(rich, stand_ins)),
        author=_attempt(shown_author, tree),
        published_at=_attempt(shown_date, tree, base_url),
    )


def _extract(tree: Any, *, rich: bool) -> str:
    # `deduplicate` stays off: it compares with earlier pages, on which results would then depend.
    document = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        include_formatting=rich,
        include_links=rich,
        include_images=rich,
        output_format="html",  # "python" would build an unused text.
    )
    if not isinstance(document, Document):
        return ""
    body = document.body
    if len(body) == 1:
        _part_lines(body[0])
    for element in body.iter("*"):
        _name_in_html(element)
    return str(etree.tostring(body, method="html", encoding="unicode"))


def _part_lines(element: Any) -> None:
    """Split the single paragraph into which trafilatura puts a page without an article into one paragraph for each
    line."""
    first, *others = (element.text or "").split("\n")
    if element.tag == "p" and not len(element):
        element.text = first
        for line in reversed(others):
            paragraph = etree.Element("p")
            paragraph.text = line
            element.addnext(paragraph)


def _name_in_html(element: Any) -> None:
    """Rename an element of trafilatura's TEI-like body to HTML, in reading order: parents come first."""
    tag, rend = element.tag, element.get("rend", "")
    target = element.get("target")
    is_inline = element.getparent() is not None and element.getparent().tag not in _BLOCKS
    if tag == "list":
        element.tag = {"ol": "ol", "dl": "dl"}.get(rend, "ul")
    elif tag == "item":
        element.tag = rend[:2] if rend[:2] in ("dt", "dd") else "li"
    elif tag == "head":
        element.tag = rend if rend in ("h1", "h2", "h3", "h4", "h5", "h6") else "h3"
    elif tag == "hi":
        element.tag = _EMPHASIS.get(rend, "em")
    elif tag == "cell":
        element.tag = "th" if element.get("role") == "head" else "td"
    elif tag == "code":
        element.tag = "code" if is_inline else "pre"
    elif tag == "quote":
        element.tag = "q" if is_inline else "blockquote"
    elif tag in _NAMES:
        element.tag = _NAMES[tag]
    if target:
        element.set("href", target)


def _make_absolute(tree: Any, base_url: str) -> None:
    for element in tree.iter("a", "img"):
        for name, value in element.attrib.items():
            if name in ("href", "src") or name.startswith("data-src"):
                element.set(name, absolute_url(value, base_url) or "")


def _mark_code(tree: Any) -> None:
    """Put `<code>` into each `<pre>` without one: trafilatura takes other preformatted text for a quotation."""
    for element in tree.iter("pre"):
        if element.find(".//code") is None:
            code = etree.SubElement(element, "code")
            code.text, element.text = element.text, None
            code.extend(element[:-1])


def _stand_ins(text: str) -> dict[str, str]:
    """Map each invisible character of `text` that trafilatura would delete to an unused visible one.

    Those are not noise: they join emoji and shape Persian words, and a newer Unicode has more visible
    characters than the Python that runs.
    """
    present = set(text)
    invisible = sorted(char for char in present if not (char.isprintable() or char.isspace()))
    return dict(zip(invisible, (char for char in map(chr, _STAND_INS) if char not in present), strict=False))


def _translate(tree: Any, characters: dict[str, str]) -> None:
    table = {ord(char): stand_in for char, stand_in in characters.items()}
    if table:
        for element in tree.iter():
            element.text = element.text and element.text.translate(table)
            element.tail = element.tail and element.tail.translate(table)


def _restored(markup: str, characters: dict[str, str]) -> str:
    return markup.translate({ord(stand_in): char for char, stand_in in characters.items()})
