"""Page reader: from fetched bytes to a readable page, by media type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from backend.capture.extract.article import Article, read_article
from backend.capture.extract.charset import decode_text, is_text
from backend.capture.extract.interstitials import ShownPage, interstitial
from backend.capture.extract.media_types import SNIFFED_BYTES, is_pdf, sniff
from backend.capture.extract.metadata import complete_metadata, read_metadata
from backend.capture.extract.noscript import asks_for_scripts, unscripted_content
from backend.capture.extract.page import MAX_TITLE, ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.capture.extract.pdf import read_pdf
from backend.capture.extract.plain import read_json, read_plain, read_xml
from backend.capture.extract.sanitize import paragraphs_html
from backend.capture.extract.scan import PageScan, scan_html
from backend.capture.extract.text import MAX_TEXT, clean_paragraphs, clean_text, count_words, cut_line, first_sentence
from backend.capture.extract.title import address_title, without_permalink
from backend.capture.extract.urls import absolute_url
from backend.outbound.failures import FetchError

__all__ = ["ExtractedPage", "UnreadablePage", "UnsupportedMedia", "extract_page"]

_UNSTATED = frozenset(("", "application/octet-stream", "binary/octet-stream", "unknown/unknown"))
_HTML = frozenset(("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"))
_PDF = frozenset(("application/pdf", "application/x-pdf"))
_XML = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?xml")
_JSON = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?json")
_PLAIN = re.compile(r"text/.+|application/(?:x-)?(?:javascript|ndjson|yaml|toml|sh|tex|latex|sql)")

_HTML_ROOT = re.compile(r"<(?:\w+:)?html[\s>]", re.IGNORECASE)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def extract_page(
    body: bytes,
    *,
    url: str,
    media_type: str,
    charset: str | None,
    truncated: bool = False,
    requested_url: str = "",
    headers: Mapping[str, str] | None = None,
) -> ExtractedPage:
    """Extract the readable page from the `body` of a response.

    Args:
        body: the bytes, content encodings undone.
        url: the final URL; relative URLs are resolved against it.
        media_type: as stated by the server, `text/html` for example; empty when it states none.
        charset: as stated by the server; the page may override it.
        truncated: whether `body` is only the beginning.
        requested_url: the URL before redirects.
        headers: those of the response that tell interstitial pages, by lower-case name.

    Raises:
        UnsupportedMedia: the body contains no text.
        UnreadablePage: it should, but is damaged or empty.
        FetchError: it is a challenge or a wall in place of the page.
    """
    kind = _kind(body, media_type.partition(";")[0].strip().lower())
    if not body.strip():
        raise UnreadablePage("The page is empty.")
    if kind == "pdf":
        page = read_pdf(body, truncated=truncated)
    else:
        text = _decode(body, charset)
        if kind == "html" or (kind == "xml" and _HTML_ROOT.search(text, 0, SNIFFED_BYTES)):
            page = _read_html(text, url, requested_url, headers or {})
        else:
            page = {"xml": read_xml, "json": read_json, "plain": read_plain}[kind](text)
    return page if page.title else replace(page, title=_fallback_title(page, kind, url))


def _decode(body: bytes, charset: str | None) -> str:
    text = decode_text(body, charset)
    if not is_text(text):
        raise UnreadablePage("What the site sent is not text.")
    return clean_text(text)


def _fallback_title(page: ExtractedPage, kind: str, url: str) -> str | None:
    # The first line of data says little.
    sentence = None if kind == "json" else first_sentence(page.text)
    return cut_line(sentence or address_title(url), MAX_TITLE)


def _kind(body: bytes, media_type: str) -> str:
    sniffed = sniff(body) if media_type in _UNSTATED else media_type
    if sniffed in _PDF or (sniffed in _HTML and is_pdf(body)):
        return "pdf"
    if sniffed in _HTML:
        return "html"
    is_binary = b"\0" in body[:SNIFFED_BYTES] and not body.startswith(_WIDE_MARKS)
    if not is_binary:
        for kind, pattern in (("xml", _XML), ("json", _JSON), ("plain", _PLAIN)):
            if pattern.fullmatch(media_type):
                return kind
        if media_type in _UNSTATED:
            return "plain"
    raise UnsupportedMedia(media_type or "application/octet-stream")


def _read_html(markup: str, url: str, requested_url: str, headers: Mapping[str, str]) -> ExtractedPage:
    scan = scan_html(markup)
    shown = ShownPage(scan.title or "", markup, scan.text, url, requested_url or url, headers)
    if wall := interstitial(shown):
        raise FetchError(wall.reason, retryable=True)
    base_url = absolute_url(scan.base or "", url) or url
    metadata = read_metadata(scan, url, base_url)
    # Readers take the notice of a page that is made by scripts for an article.
    is_scripted = bool(scan.unscripted_text) and not scan.text
    stated = metadata.title, metadata.description, metadata.author
    article = None if is_scripted else read_article(markup, scan, base_url, *stated)
    if article:
        metadata = complete_metadata(metadata, article)
    text = _text(article, scan)
    if not (text or metadata.title or metadata.description):
        raise UnreadablePage("The page holds nothing to read.")
    page = ExtractedPage(
        **metadata.stored(),
        text=text,
        html=(text and article and article.html()) or paragraphs_html(text),
        word_count=count_words(text),
    )
    heading = scan.first_heading and cut_line(without_permalink(scan.first_heading), MAX_TITLE)
    return replace(page, title=page.title or heading)


def _text(article: Article | None, scan: PageScan) -> str:
    # Front pages, lists of links and applications have no article: all their text is indexed.
    text = article.text() if article else scan.text or unscripted_content(scan.unscripted_text)
    return "" if asks_for_scripts(text) else clean_paragraphs(text)[:MAX_TEXT]
