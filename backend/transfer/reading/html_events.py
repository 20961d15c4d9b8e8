"""The tags and texts of an HTML file in their order, without a tree: bookmark files close few of their tags.

libxml2 reads them by the rules of browsers; entities that a file declares itself are never expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from lxml import etree  # type: ignore[import-untyped]

from backend.transfer.reading.bounds import MAX_FIELD_LENGTH
from backend.transfer.reading.lines import pieces
from backend.transfer.records import UnreadableFile

TOO_LONG = f"Line {{}} holds a tag of more than {MAX_FIELD_LENGTH // 2**20} million characters."
# Bookmark files have one open tag for each folder around. libxml2 searches all of them at each end tag.
MAX_OPEN_TAGS = 300
TOO_DEEP = f"The tags of line {{}} are nested more than {MAX_OPEN_TAGS} levels deep."
# A description of a megabyte that is all entities has a third of these.
MAX_EVENTS_PER_LINK = 1_000_000
TOO_EMPTY = f"More than {MAX_EVENTS_PER_LINK:,} tags and texts before line {{}} hold no link."
BROKEN = "The HTML cannot be read after line {}; what stands before it was read."

# In these HTML knows no tags. One that stands unescaped in a description must not swallow the rest of the file.
_RAW_TEXT = re.compile(
    r"<(?=/?(?:iframe|noembed|noframes|noscript|plaintext|script|style|template|textarea|title|xmp)\b)", re.IGNORECASE
)
_DT = re.compile(r"<dt\b", re.IGNORECASE)
_UNCLOSED_TAG = re.compile(r"<[a-z/!][^>]*\Z", re.IGNORECASE)


class HtmlEvent(Enum):
    """What comes next in an HTML file."""

    START = "start"
    END = "end"
    TEXT = "text"
    END_OF_FILE = "end of file"


@dataclass(slots=True)
class HtmlToken:
    """One event. `name` is that of the tag, in lower case; The last two tell of an end of file."""

    event: HtmlEvent
    line: int
    name: str = ""
    text: str = ""
    attributes: dict[str, str] | None = None
    is_in_tag: bool = False
    is_in_line: bool = False


def html_events(file: BinaryIO) -> Iterator[HtmlToken]:
    """Yield what the file holds, in order, and at last its end. Tags that are open there get no end.

    Raises:
        UnreadableFile: libxml2 gives up, or a bound is passed; the end is yielded before.
    """
    events = _Events()
    end = _End()
    fault: Exception | None = None
    try:
        for _ in _fed(file, events, end):
            yield from events.drain()
    except (etree.LxmlError, UnreadableFile, ValueError) as error:
        fault = error
    yield from events.drain()
    if fault is None:
        yield HtmlToken(HtmlEvent.END_OF_FILE, events.line, is_in_tag=end.is_in_tag, is_in_line=end.is_in_line)
        return
    yield HtmlToken(HtmlEvent.END_OF_FILE, events.line)
    raise fault if isinstance(fault, UnreadableFile) else UnreadableFile(BROKEN.format(events.line)) from fault


def _fed(file: BinaryIO, events: _Events, end: _End) -> Iterator[None]:
    """Give the parser the file, and yield after each piece of it."""
    parser = etree.HTMLParser(target=events, encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    length_since_event = 0
    for piece in pieces(file):
        for part in _parts(piece):
            if events.is_in_dt and not end.is_in_tag and part[:3].lower() == "<dt":
                parser.feed(b"</dt>")  # Else libxml2 nests each entry inside the one before.
            parser.feed(_RAW_TEXT.sub("&lt;", part).encode())
            end.pass_over(part)
        length_since_event = 0 if events.tokens else length_since_event + len(piece)
        if length_since_event > MAX_FIELD_LENGTH:
            raise UnreadableFile(TOO_LONG.format(events.line))
        yield
        events.line += piece.endswith("\n")
    if events.is_begun:  # libxml2 refuses to end a file without any tag.
        events.is_at_end = True
        parser.close()


def _parts(piece: str) -> Iterator[str]:
    """Cut a piece before each <DT>."""
    start = 0
    for match in _DT.finditer(piece):
        if match.start() > start:
            yield piece[start : match.start()]
        start = match.start()
    yield piece[start:]


class _Events:
    """What the parser calls for each tag and text."""

    def __init__(self) -> None:
        self.line = 1
        self.tokens: list[HtmlToken] = []
        self.is_begun = False
        self.is_at_end = False
        self._open: list[str] = []
        self._events_since_link = 0

    @property
    def is_in_dt(self) -> bool:
        return self._open[-1:] == ["dt"]

    def drain(self) -> list[HtmlToken]:
        tokens, self.tokens = self.tokens, []
        return tokens

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.is_begun = True
        self._open.append(name)
        if len(self._open) > MAX_OPEN_TAGS:
            raise UnreadableFile(TOO_DEEP.format(self.line))
        if name == "a":
            self._events_since_link = 0
        self._add(HtmlToken(HtmlEvent.START, self.line, name, attributes=dict(attributes)))

    def end(self, name: str) -> None:
        if self.is_at_end:
            return  # The parser closes what the file left open.
        del self._open[-1:]
        self._add(HtmlToken(HtmlEvent.END, self.line, name))

    def data(self, text: str) -> None:
        self._add(HtmlToken(HtmlEvent.TEXT, self.line, text=text))

    def close(self) -> None:
        """Return nothing: there is no tree."""

    def _add(self, token: HtmlToken) -> None:
        self._events_since_link += 1
        if self._events_since_link > MAX_EVENTS_PER_LINK:
            raise UnreadableFile(TOO_EMPTY.format(self.line))
        self.tokens.append(token)


class _End:
    """Whether a file breaks off inside a tag, a comment or a line."""

    def __init__(self) -> None:
        self._is_tag_open = False
        self._is_comment_open = False
        self._last = "\n"

    @property
    def is_in_tag(self) -> bool:
        return self._is_tag_open or self._is_comment_open

    @property
    def is_in_line(self) -> bool:
        return self._last not in "\n>"

    def pass_over(self, piece: str) -> None:
        self._last = piece[-1]
        if (opened := piece.rfind("<!--")) != (closed := piece.rfind("-->")):
            self._is_comment_open = opened > closed
        if ">" in piece or "<" in piece:
            self._is_tag_open = bool(_UNCLOSED_TAG.search(piece, max(piece.rfind("<"), 0)))
