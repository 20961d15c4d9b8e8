"""Page reader: from fetched bytes to a readable page, by media type."""

from __future__ import annotations

import re
from dataclasses import asdict

from backend.capture.extract.article import read_article
from backend.capture.extract.charset import decode_text
from backend.capture.extract.metadata import complete_metadata, read_metadata
from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.capture.extract.pdf import read_pdf
from backend.capture.extract.plain import read_json, read_plain, read_xml
from backend.capture.extract.sanitize import paragraphs_html
from backend.capture.extract.scan import scan_html
from backend.capture.extract.text import MAX_TEXT, clean_paragraphs, clean_text, count_words
from backend.capture.extract.urls import absolute_url

__all__ = ["ExtractedPage", "UnreadablePage", "UnsupportedMedia", "extract_page"]

_UNSTATED = frozenset(("", "application/octet-stream", "binary/octet-stream", "unknown/unknown"))
_HTML = frozenset(("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"))
_PDF = frozenset(("application/pdf", "application/x-pdf"))
_XML = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?xml")
_JSON = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?json")
_PLAIN = re.compile(r"text/.+|application/(?:x-)?(?:javascript|ndjson|yaml|toml|sh|tex|latex|sql)")

_SNIFFED = 2048  # Bytes at the start of a body that determine its type.
_HTML_START = re.compile(rb"<(?:!doctype html|html|head|body|title|meta|script|h1|p|div)[\s>]", re.IGNORECASE)
_HTML_ROOT = re.compile(r"<(?:\w+:)?html[\s>]", re.IGNORECASE)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def extract_page(
    body: bytes, *, url: str, media_type: str, charset: str | None, truncated: bool = False
) -> ExtractedPage:
    """Extract the readable page from the `body` of a response.

    Args:
        body: the bytes, content encodings undone.
        url: the final URL; relative URLs are resolved against it.
        media_type: as stated by the server, `text/html` for example; empty when it states none.
        charset: as stated by the server; the page may override it.
        truncated: whether `body` is only the beginning.

    Raises:
        UnsupportedMedia: the body contains no text.
        UnreadablePage: it should, but is damaged or empty.
    """
    kind = _kind(body, media_type.partition(";")[0].strip().lower())
    if not body.strip():
        raise UnreadablePage("The page is empty.")
    if kind == "pdf":
        return read_pdf(body, truncated=truncated)
    text = clean_text(decode_text(body, charset))
    if kind == "html" or (kind == "xml" and _HTML_ROOT.search(text, 0, _SNIFFED)):
        return _read_html(text, url)
    read = {"xml": read_xml, "json": read_json, "plain": read_plain}[kind]
    return read(text)


def _kind(body: bytes, media_type: str) -> str:
    start = body[:_SNIFFED]
    if media_type in _PDF or (media_type in _UNSTATED | _HTML and start.lstrip().startswith(b"%PDF-")):
        return "pdf"
    if media_type in _HTML or (media_type in _UNSTATED and _HTML_START.search(start)):
        return "html"
    is_binary = b"\0" in start and not start.startswith(_WIDE_MARKS)
    if not is_binary:
        for kind, pattern in (("xml", _XML), ("json", _JSON), ("plain", _PLAIN)):
            if pattern.fullmatch(media_type):
                return kind
        if media_type in _UNSTATED:
            return "plain"
    raise UnsupportedMedia(media_type or "application/octet-stream")


def _read_html(markup: str, url: str) -> ExtractedPage:
    scan = scan_html(markup)
    base_url = absolute_url(scan.base or "", url) or url
    metadata = read_metadata(scan, url, base_url)
    article = read_article(markup, scan, base_url, metadata.title, metadata.description)
    if article:
        metadata = complete_metadata(metadata, article)
    # Front pages, lists of links and applications have no article: all their text is indexed.
    text = clean_paragraphs(article.text() if article else scan.text or scan.unscripted_text)[:MAX_TEXT]
    if not (text or metadata.title or metadata.description):
        raise UnreadablePage("The page holds nothing to read.")
    return ExtractedPage(
        **asdict(metadata),
        text=text,
        html=(article and article.html()) or paragraphs_html(text),
        word_count=count_words(text),
    )
