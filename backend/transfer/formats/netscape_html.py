"""The Netscape bookmark file, as browsers and most bookmark services write it, each in its dialect.

<DT><A …> opens an entry that ends at the next tag of the outline, as its description (<DD>) may follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.encodings import head_text
from backend.transfer.reading.html_events import HtmlEvent, HtmlToken, html_events
from backend.transfer.reading.links import record
from backend.transfer.reading.netscape_entry import NetscapeEntry
from backend.transfer.reading.netscape_folders import NetscapeFolders
from backend.transfer.records import ImportFormat, Record, UnreadableFile

CUT = "The file breaks off after line {}; what stands before it was read."

_ENTRY = re.compile(r"<!doctype\s+netscape-bookmark|<dt>\s*<(?:a|h3)\b", re.IGNORECASE)
_LINK = re.compile(r"<a\s[^>]{0,2048}?href\s*=", re.IGNORECASE)
_OUTLINE = frozenset({"a", "dd", "dl", "dt", "h3", "hr"})


def _detect(head: bytes) -> bool:
    text = head_text(head)
    is_page = text.lstrip().startswith("<")
    return _ENTRY.search(text) is not None or (is_page and _LINK.search(text) is not None)


def _read(file: BinaryIO) -> Iterator[Record]:
    outline = _Outline()
    for token in html_events(file):
        is_cut = token.event is HtmlEvent.END_OF_FILE and outline.breaks_off(token)
        done = outline.take(token)
        if done is not None:
            yield record(done.bookmark())
        if is_cut:
            raise UnreadableFile(CUT.format(token.line))


class _Outline:
    """Where the reading stands: in which folders, in which entry, and what a text belongs to."""

    def __init__(self) -> None:
        self._folders = NetscapeFolders()
        self._entry: NetscapeEntry | None = None
        self._is_in_title = False

    def take(self, token: HtmlToken) -> NetscapeEntry | None:
        """Take the next token, and return the entry that it ends."""
        match token.event:
            case HtmlEvent.START:
                return self._start(token)
            case HtmlEvent.END:
                return self._end(token.name)
            case HtmlEvent.TEXT:
                self._text(token.text)
                return None
        return self._done()

    def breaks_off(self, end: HtmlToken) -> bool:
        """Tell whether the file ends inside an entry. Old exports close no list: that alone is no fault."""
        return self._is_in_title or end.is_in_tag or (end.is_in_line and self._folders.are_open)

    def _start(self, token: HtmlToken) -> NetscapeEntry | None:
        if token.name == "br":
            self._text("\n")
        if token.name not in _OUTLINE or (token.name == "a" and self._is_in_description(token)):
            return None
        if token.name == "dd":
            self._folders.leave_name()
            if self._entry is not None:
                self._entry.begin_description()
            return None
        done = self._done()
        self._open(token)
        return done

    def _open(self, token: HtmlToken) -> None:
        if token.name == "a":
            self._entry = NetscapeEntry(token.line, token.attributes or {}, self._folders)
            self._is_in_title = True
        elif token.name == "h3":
            self._folders.begin_name(token.attributes or {})
        elif token.name == "dl":
            self._folders.enter()

    def _is_in_description(self, token: HtmlToken) -> bool:
        """Tell whether a link is part of a description: no bookmark, but its address is written there."""
        return self._entry is not None and self._entry.begin_inner_link(token.attributes or {})

    def _end(self, name: str) -> NetscapeEntry | None:
        if name == "a":
            self._is_in_title = False
            if self._entry is not None:
                self._entry.end_link()
        elif name == "h3":
            self._folders.leave_name()
        elif name == "dl":
            done = self._done()
            self._folders.leave()
            return done
        return None

    def _text(self, text: str) -> None:
        if self._entry is not None:
            self._entry.add(text)
        else:
            self._folders.add(text)

    def _done(self) -> NetscapeEntry | None:
        done, self._entry, self._is_in_title = self._entry, None, False
        return done


FORMAT = ImportFormat("netscape_html", _detect, _read)
