"""A plain reader of Netscape's bookmark file, on lxml, that undoes our escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from backend.transfer.escapes import ARCHIVED_TAG, read_tags, unescape

NOTES = re.compile(r"\[linkding-notes\](.*)\[/linkding-notes\]\Z", re.DOTALL)


@dataclass
class ReadBookmark:
    """A bookmark of the file."""

    url: str
    title: str
    attributes: dict[str, str]
    tags: list[str]
    is_archived: bool
    is_favorite: bool
    folder: str
    description: str = ""
    notes: str = ""


@dataclass
class _Target:
    """What lxml's parser tells its events to."""

    found: list[ReadBookmark] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    heading: str = ""
    tag: str = ""
    text: str = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._end_text()
        self.tag = tag
        if tag == "dl":
            self.folders.append(self.heading)
            self.heading = ""
        if tag == "a":
            given = dict(attributes)
            tags = given.get("tags", "").split(",") if given.get("tags") else []
            is_archived = ARCHIVED_TAG in tags
            names = read_tags(",".join(name for name in tags if name != ARCHIVED_TAG))
            is_favorite = given.get("favorite") == "1"
            folder = self.folders[-1] if self.folders else ""
            self.found.append(ReadBookmark(given["href"], "", given, names, is_archived, is_favorite, folder))

    def end(self, tag: str) -> None:
        self._end_text()
        if tag == "dl":
            self.folders.pop()

    def data(self, data: str) -> None:
        self.text += data

    def close(self) -> list[ReadBookmark]:
        self._end_text()
        return self.found

    def _end_text(self) -> None:
        text, self.text = self.text, ""
        if self.tag == "a":
            self.found[-1].title = unescape(text)
        elif self.tag == "h3":
            self.heading = unescape(text)
        elif self.tag == "dd":
            text = text.removesuffix("\n")
            notes = NOTES.search(text)
            self.found[-1].notes = unescape(notes[1]) if notes else ""
            self.found[-1].description = unescape(NOTES.sub("", text))
        self.tag = ""


def read_netscape(html: str) -> list[ReadBookmark]:
    """The bookmarks of a file, in its order."""
    return list(_parse(html))


def _parse(html: str) -> Iterator[ReadBookmark]:
    parser = etree.HTMLParser(target=_Target(), encoding="utf-8", huge_tree=True)
    yield from etree.fromstring(html.encode(), parser)
