"""The HTML exports of Pocket (`ril_export.html`) and Instapaper: a list of links below a heading for each state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from backend.transfer.reading.encodings import head_text
from backend.transfer.reading.html_events import HtmlEvent, HtmlToken, html_events
from backend.transfer.reading.links import record
from backend.transfer.reading.moments import moment
from backend.transfer.reading.tag_names import comma_names
from backend.transfer.records import ImportedBookmark, ImportFormat, Record, UnreadableFile

CUT = "The file breaks off after line {}; what stands before it was read."

_LOOKS_LIKE = re.compile(
    r"<title>\s*(?:pocket|instapaper)[^<]{0,20}export|<a\s[^>]{0,2048}?\stime_added\s*=", re.IGNORECASE
)
_READ_HEADINGS = frozenset({"read archive", "archive", "read"})


def _detect(head: bytes) -> bool:
    return _LOOKS_LIKE.search(head_text(head)) is not None


@dataclass
class _Reading:
    """The heading above, the link that is open, and their texts."""

    heading: list[str] = field(default_factory=list)
    link: HtmlToken | None = None
    texts: list[str] | None = None

    def take(self, token: HtmlToken) -> ImportedBookmark | None:
        """Take the next token, and return the link that it ends."""
        if token.event is HtmlEvent.TEXT:
            if self.texts is not None:
                self.texts.append(token.text)
        elif token.event is HtmlEvent.START and token.name in ("a", "h1"):
            return self._start(token)
        elif token.event is HtmlEvent.END_OF_FILE or token.name in ("a", "h1", "li"):
            return self._done()
        return None

    def _start(self, token: HtmlToken) -> ImportedBookmark | None:
        done = self._done()
        self.texts = []
        if token.name == "h1":
            self.heading = self.texts
        else:
            self.link = token
        return done

    def _done(self) -> ImportedBookmark | None:
        link, texts = self.link, self.texts
        self.link = self.texts = None
        return _bookmark(link, texts or [], "".join(self.heading).strip()) if link else None


def _bookmark(link: HtmlToken, texts: list[str], heading: str) -> ImportedBookmark:
    attributes = link.attributes or {}
    is_read = {"unread": False}.get(heading.lower(), heading.lower() in _READ_HEADINGS or None)
    return ImportedBookmark(
        link.line,
        attributes.get("href", "").strip(),
        title=" ".join("".join(texts).split()),
        tags=comma_names(attributes.get("tags", "")),
        created_at=moment(attributes.get("time_added")),
        is_read=is_read,
        is_favorite=True if heading.lower() in ("starred", "favorites", "liked") else None,
        is_archived=is_read,
    )


def _read(file: BinaryIO) -> Iterator[Record]:
    reading = _Reading()
    for token in html_events(file):
        is_open = reading.link is not None
        done = reading.take(token)
        if done is not None:
            yield record(done)
        if token.event is HtmlEvent.END_OF_FILE and (is_open or token.is_in_tag):
            raise UnreadableFile(CUT.format(token.line))


FORMAT = ImportFormat("pocket_html", _detect, _read)
