"""Lines: the inline content of an element as text and, for those that are shown, as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from backend.capture.extract.preparation.mathml import MATHML
from backend.capture.extract.urls import absolute_url

_KEPT_TAGS = "abbr b code del em i ins kbd mark q s samp small strong sub sup u var"
_KEPT = frozenset(_KEPT_TAGS.split())
_RENAMED = {"tt": "code", "strike": "s", "cite": "em", "dfn": "em"}
_UNREAD_TAGS = "audio button canvas head iframe noscript object script select style svg template textarea video math"
_UNREAD = frozenset(_UNREAD_TAGS.split())
_BLOCK_TAGS = "p div li tr td th pre ul ol dl dt dd blockquote table section figure label h1 h2 h3 h4 h5 h6"
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_SPACES = re.compile("[ \t\n\r\f]+")
_BREAK = re.compile(" *\n *")
_BLANKS = re.compile("  +")
_OUTER_BREAKS = re.compile(r"\A(?:\s|<br>)+|(?:\s|<br>)+\Z")
_SOURCES = ("src", "data-src", "data-original", "data-lazy-src")
_SIZES_OF_PIXELS = frozenset(("0", "1"))


class LineText:
    """Collects the text of one line, and the pieces of the tree that it was; `linked` counts characters in links."""

    def __init__(self, *, in_link: bool = False) -> None:
        self.pieces: list[Any] = []
        self.linked = 0
        self.has_picture = False
        self._text: list[str] = []
        self._links = int(in_link)

    def add(self, piece: Any) -> None:
        """Add text as it stands in the source, or an element of a line."""
        if piece is not None and not isinstance(piece, str):
            self.pieces.append(piece)
            self._add_element(piece)
        elif piece:
            self.pieces.append(piece)
            self._add_text(piece)

    def add_contents(self, element: Any) -> None:
        """Add all that is in an element."""
        self.add(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self.add(child)
            self.add(child.tail)

    def ends_with_break(self) -> bool:
        """Tell whether only blanks have come since the last break."""
        last = next((piece for piece in reversed(self._text) if piece.strip(" ")), "")
        return last == "\n"

    def _add_text(self, text: str) -> None:
        text = _SPACES.sub(" ", text)
        self._text.append(text)
        if self._links:
            self.linked += len(text.strip())

    def _add_element(self, element: Any) -> None:
        tag = element.tag
        if tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self.has_picture = True
        elif tag not in _UNREAD:
            self._add_inside(element, gap=" " if tag in _BLOCKS else "")

    def _add_inside(self, element: Any, gap: str) -> None:
        self._links += element.tag == "a"
        self._text.append(gap)
        if element.text:
            self._add_text(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self._add_element(child)
            if child.tail:
                self._add_text(child.tail)
        self._text.append(gap)
        self._links -= element.tag == "a"

    def text(self) -> str:
        """Return the line as text, single-spaced."""
        return _BLANKS.sub(" ", _BREAK.sub("\n", "".join(self._text))).strip(" \n")


def line_html(pieces: Sequence[Any], base_url: str) -> str:
    """Write the pieces of a line as HTML, without breaks at its ends."""
    writer = _LineWriter(base_url)
    for piece in pieces:
        if isinstance(piece, str):
            writer.add_text(piece)
        else:
            writer.add_element(piece)
    return _OUTER_BREAKS.sub("", "".join(writer.parts))


class _LineWriter:
    def __init__(self, base_url: str) -> None:
        self.parts: list[str] = []
        self._base_url = base_url
        self._in_code = False

    def add_text(self, text: str | None) -> None:
        if text:
            self.parts.append(html.escape(_SPACES.sub(" ", text), quote=False))

    def add_element(self, element: Any) -> None:
        tag = _RENAMED.get(element.tag, element.tag)
        if tag == "br":
            self.parts.append("<br>")
        elif tag == "img":
            self._add_image(element)
        elif tag == "a":
            self._add_link(element)
        elif drawn := element.get(MATHML):
            self.parts.append(drawn)
        elif tag in _KEPT and not (tag == "code" and self._in_code):
            self._wrap(tag, element)
        elif tag not in _UNREAD:
            gap = " " if tag in _BLOCKS else ""
            self.parts.append(gap)
            self._add_contents(element)
            self.parts.append(gap)

    def _add_contents(self, element: Any) -> None:
        self.add_text(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self.add_element(child)
            self.add_text(child.tail)

    def _wrap(self, tag: str, element: Any) -> None:
        was_in_code, self._in_code = self._in_code, self._in_code or tag == "code"
        start = len(self.parts)
        self._add_contents(element)
        if any(self.parts[start:]):
            self.parts.insert(start, f"<{tag}>")
            self.parts.append(f"</{tag}>")
        self._in_code = was_in_code

    def _add_link(self, element: Any) -> None:
        address = absolute_url(element.get("href") or "", self._base_url) if element.get("href") else None
        if address:
            self.parts.append(f'<a href="{html.escape(address)}">')
        self._add_contents(element)
        if address:
            self.parts.append("</a>")

    def _add_image(self, element: Any) -> None:
        if not _SIZES_OF_PIXELS.isdisjoint((element.get("width"), element.get("height"))):
            return
        addresses = (absolute_url(element.get(name) or "", self._base_url) for name in _SOURCES if element.get(name))
        if address := next(filter(None, addresses), None):
            stated = ((name, element.get(name)) for name in ("alt", "title"))
            attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in stated if value)
            self.parts.append(f'<img src="{html.escape(address)}"{attributes}>')
