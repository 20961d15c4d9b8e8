"""Page scan: one pass over a page of any size and shape for its metadata and all of its text.

No tree is built, so that neither ten thousand nested elements nor a ten-megabyte line exhausts memory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]

from backend.capture.extract.text import MAX_TEXT

_PARAGRAPH_TAGS = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend main menu nav ol p pre section summary
    table ul channel entry feed item
"""
_LINE_TAGS = "br li tr content description link title"
_SPACE_TAGS = "button label option td th"
_GAPS = {
    **dict.fromkeys(_PARAGRAPH_TAGS.split(), "\n\n"),
    **dict.fromkeys(_LINE_TAGS.split(), "\n"),
    **dict.fromkeys(_SPACE_TAGS.split(), " "),
}
_UNREAD_TAGS = "audio canvas head iframe noscript object script select style svg template textarea video"
_UNREAD = frozenset(_UNREAD_TAGS.split())
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_WIDTHS = {"": 0, " ": 1, "\n": 2, "\n\n": 3}

_KICKER = re.compile(r"kicker|overline|eyebrow|topline|dachzeile|supertitle", re.IGNORECASE)
_LEADING_SIGNS = re.compile(r"^[\s:|·•–—-]+")

MAX_HEADINGS = 50
MAX_META_NAMES = 1000
MAX_META_VALUES = 50  # Of one name: a paper has that many authors.
MAX_META_LENGTH = 10_000  # Longer values are data, not a statement about the page.
MAX_LINKED_DATA = 4_000_000  # Some sites repeat the whole article in JSON-LD.
MAX_SCRIPTS = 1_000
MAX_SCANNED_TEXT = 2 * MAX_TEXT  # Cleaning may remove a part before the cut to MAX_TEXT.
_DECLARATIONS = re.compile(r"[^\[>]*\[.*?\]\s*>", re.DOTALL)
_SPACES = re.compile("[ \t\n\r\f]+")


@dataclass
class PageScan:
    """Statements and text of one page, in the order of the source."""

    title: str | None = None
    headings: list[str] = field(default_factory=list)  # Of the first level.
    first_heading: str | None = None  # Of any level.
    marked_headings: list[str] = field(default_factory=list)  # Those that microdata calls the headline.
    kicker: str | None = None  # The topic in front of a headline, inside its heading.
    meta: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    linked_data: list[str] = field(default_factory=list)
    language: str | None = None
    base: str | None = None
    canonical: str | None = None
    text: str = ""
    unscripted_text: str = ""
    depth: int = 0
    weight: int = 0  # Cost of analysing the page: ten for each element, and one for each of its ancestors.
    most_attributes: int = 0

    def stated(self, *names: str) -> str | None:
        """Return the first value of the first of these meta names, properties or item properties that has one."""
        return next((value for name in names for value in self.meta.get(name, ())), None)


def scan_html(markup: str) -> PageScan:
    """Scan HTML in one pass; malformed markup is an empty scan, never an error."""
    parser = etree.HTMLParser(target=_Scanner(), encoding="utf-8", huge_tree=True)
    return _scan(markup, parser)


def scan_xml(markup: str) -> PageScan:
    """Scan XML, with no entity expanded and nothing loaded from outside."""
    parser = etree.XMLParser(target=_Scanner(), encoding="utf-8", recover=True, resolve_entities=False, no_network=True)
    # With a target, libxml2 expands entities regardless, so their declarations are removed.
    before, _, after = markup.partition("<!DOCTYPE")
    declarations = _DECLARATIONS.match(after)
    return _scan(before + after[declarations.end() :] if declarations else markup, parser)


def _scan(markup: str, parser: object) -> PageScan:
    try:
        scan: PageScan = etree.fromstring(markup.encode(), parser)
    except etree.LxmlError:
        return PageScan()
    return scan


class _Scanner:
    """Parser target: lxml calls `start`, `data` and `end` while parsing, and `close` at the end."""

    def __init__(self) -> None:
        self._scan = PageScan()
        self._text = _Lines()
        self._unscripted = _Lines()
        self._unread: list[str] = []
        self._open = 0
        self._collecting: str | None = None
        self._is_marked = False
        self._kicker: tuple[str, int, int] | None = None  # Its tag, what was collected before, and how many are open.
        self._linked = 0
        self._collected: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag = _local_name(tag)
        scan = self._scan
        self._open += 1
        scan.weight += 9 + self._open
        scan.depth = max(scan.depth, self._open)
        scan.most_attributes = max(scan.most_attributes, len(attributes))
        if tag in _UNREAD:
            self._unread.append(tag)
        if self._collecting:
            self._note_kicker(tag, attributes)
        elif self._is_collected(tag, attributes):
            self._collecting, self._collected = tag, []
            self._is_marked = tag in _HEADINGS and "headline" in attributes.get("itemprop", "").split()
        self._text.open(tag)
        self._unscripted.open(tag)
        if tag == "html":
            scan.language = scan.language or attributes.get("lang") or attributes.get("xml:lang")
        elif tag == "link" and "canonical" in (attributes.get("rel") or "").lower().split():
            scan.canonical = scan.canonical or attributes.get("href")
        elif tag == "base":
            scan.base = scan.base or attributes.get("href")
        elif attributes:
            self._note_statement(tag, attributes)

    def _is_collected(self, tag: str, attributes: Mapping[str, str]) -> bool:
        if tag == "script":
            return "ld+json" in attributes.get("type", "").lower()
        if tag in _HEADINGS:
            is_needed = tag == "h1" or attributes.get("itemprop") == "headline"
            return is_needed or not (self._scan.first_heading or self._unread)
        return tag == "title" and "svg" not in self._unread

    def _note_kicker(self, tag: str, attributes: Mapping[str, str]) -> None:
        is_first = self._kicker is None and self._collecting in _HEADINGS and not "".join(self._collected).strip()
        if is_first and _KICKER.search(attributes.get("class", "")):
            self._kicker = tag, len(self._collected), self._open

    def _end_kicker(self, tag: str) -> None:
        """Take the topic out of the heading."""
        if self._kicker and self._kicker[0] == tag and self._open < self._kicker[2]:
            self._scan.kicker = self._scan.kicker or "".join(self._collected[self._kicker[1] :]).strip() or None
            del self._collected[self._kicker[1] :]
            self._kicker = None

    def _note_statement(self, tag: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("content") or attributes.get("datetime")
        if tag == "link" and attributes.get("rel", "").lower() == "image_src":
            self._note("image_src", attributes.get("href"))
        elif value and tag == "meta":
            for kind in ("property", "name", "itemprop", "http-equiv"):
                self._note(attributes.get(kind), value)
        elif value and "itemprop" in attributes:
            self._note(attributes["itemprop"], value)
        elif value and "pubdate" in attributes:
            self._note("pubdate", value)

    def _note(self, names: str | None, value: str | None) -> None:
        if names and value and value.strip() and len(value) <= MAX_META_LENGTH:
            for name in names.lower().split():
                known = self._scan.meta
                if len(known) < MAX_META_NAMES and len(known[name]) < MAX_META_VALUES:
                    known[name].append(value.strip())

    def data(self, data: str) -> None:
        if self._collecting:
            self._collected.append(data)
        if not self._unread:
            self._text.add(data)
        elif self._unread == ["noscript"]:
            self._unscripted.add(data)

    def end(self, tag: str) -> None:
        tag = _local_name(tag)
        self._open -= 1
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()
        self._end_kicker(tag)
        if self._collecting == tag:
            self._store_collected(tag, "".join(self._collected))
            self._collecting = self._kicker = None
        self._text.close(tag)
        self._unscripted.close(tag)

    def _store_collected(self, tag: str, text: str) -> None:
        scan = self._scan
        if tag == "script":
            if self._linked + len(text) <= MAX_LINKED_DATA and len(scan.linked_data) < MAX_SCRIPTS:
                scan.linked_data.append(text)
                self._linked += len(text)
        elif tag == "title":
            scan.title = scan.title or _SPACES.sub(" ", text).strip()[:MAX_META_LENGTH] or None
        elif heading := _SPACES.sub(" ", text).strip()[:MAX_META_LENGTH]:
            heading = (_LEADING_SIGNS.sub("", heading) or heading) if scan.kicker else heading
            scan.first_heading = scan.first_heading or heading
            if self._is_marked:
                scan.marked_headings.append(heading)
            if tag == "h1" and len(scan.headings) < MAX_HEADINGS:
                scan.headings.append(heading)

    def comment(self, text: str) -> None:
        """Ignore comments."""

    def close(self) -> PageScan:
        self._scan.text = self._text.joined()
        self._scan.unscripted_text = self._unscripted.joined()
        return self._scan


class _Lines:
    """Text as a reader sees it: single-spaced, a blank line between paragraphs, code unchanged."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gap = ""
        self._preformatted = 0
        self._length = 0

    def open(self, tag: str) -> None:
        self._separate(tag)
        self._preformatted += tag == "pre"

    def close(self, tag: str) -> None:
        self._preformatted -= tag == "pre"
        if tag != "br":
            self._separate(tag)

    def _separate(self, tag: str) -> None:
        gap = _GAPS.get(tag, "")
        if _WIDTHS[gap] > _WIDTHS[self._gap]:
            self._gap = gap

    def add(self, data: str) -> None:
        if self._length > MAX_SCANNED_TEXT:
            return
        if self._preformatted:
            self._append(data)
            return
        text = _SPACES.sub(" ", data)
        if text.startswith(" "):
            self._gap = self._gap or " "
        if stripped := text.strip(" "):
            self._append(stripped)
            if text.endswith(" "):
                self._gap = " "

    def _append(self, text: str) -> None:
        if self._parts:
            self._parts.append(self._gap)
        self._parts.append(text)
        self._length += len(text)
        self._gap = ""

    def joined(self) -> str:
        return "".join(self._parts)


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
