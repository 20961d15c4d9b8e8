"""One entry of a Netscape bookmark file, while its parts come in."""

from __future__ import annotations

import re

from backend.transfer.reading.bounds import MAX_FIELD_LENGTH
from backend.transfer.reading.moments import moment
from backend.transfer.reading.netscape_folders import NetscapeFolders
from backend.transfer.reading.states import flag
from backend.transfer.reading.tag_names import comma_names, comma_or_space_names
from backend.transfer.records import ImportedBookmark, UnreadableFile

TOO_LONG = f"The entry of line {{}} holds more than {MAX_FIELD_LENGTH // 2**20} million characters."

# linkding writes what the format has no place for into descriptions and tags: bookmarks/services/exporter.py there.
_NOTES_START = "[linkding-notes]"
_NOTES_END = "[/linkding-notes]"
_ARCHIVED_TAGS = frozenset({"linkding:bookmarks.archived", "linkding:archived"})
# Only entries have these; a link inside a description has none of them.
_OF_ENTRIES = frozenset({"add_date", "last_modified", "last_visit", "icon", "icon_uri", "private", "toread", "tags"})
# Firefox alone writes these, and it always writes commas between tags.
_OF_FIREFOX = frozenset({"icon_uri", "last_charset", "shortcuturl"})
_LINE_BREAK = re.compile(r"\s*\n\s*")


class NetscapeEntry:
    """The attributes of the link, and the texts of its title and description."""

    def __init__(self, line: int, attributes: dict[str, str], folders: NetscapeFolders) -> None:
        self._line = line
        self._attributes = attributes
        self._folders = folders.path
        self._is_to_read = folders.is_reading_list
        self._title: list[str] = []
        self._description: list[str] = []
        self._texts: list[str] | None = self._title
        self._inner_address = ""
        self._length = 0

    def add(self, text: str) -> None:
        """Take a text; between the link and its description there is none that counts."""
        if self._texts is None:
            return
        self._length += len(text)
        if self._length > MAX_FIELD_LENGTH:
            raise UnreadableFile(TOO_LONG.format(self._line))
        self._texts.append(text)

    def begin_description(self) -> None:
        """Take the texts that follow as the description, below one that there is."""
        if self._description:
            self._description.append("\n")
        self._texts = self._description

    def begin_inner_link(self, attributes: dict[str, str]) -> bool:
        """Take a link inside the description; return False for one that is an entry of its own."""
        if self._texts is not self._description or _OF_ENTRIES & attributes.keys():
            return False
        self._inner_address = attributes.get("href", "")
        return True

    def end_link(self) -> None:
        """End the title, or a link inside the description, whose address goes where its text does not hold it."""
        if self._texts is self._title:
            self._texts = None
        elif self._inner_address and self._inner_address not in "".join(self._description[-1:]):
            self.add(f" {self._inner_address}")
        self._inner_address = ""

    def bookmark(self) -> ImportedBookmark:
        """Make the bookmark of all that has come."""
        attributes = self._attributes
        description, notes = self._texts_of_description()
        tags = self._tags()
        return ImportedBookmark(
            self._line,
            (attributes.get("href") or attributes.get("feedurl") or "").strip(),
            title=_LINE_BREAK.sub(" ", "".join(self._title).strip()),
            description=description,
            notes=notes,
            tags=tuple(tag for tag in tags if tag not in _ARCHIVED_TAGS),
            folders=self._folders,
            created_at=moment(attributes.get("add_date") or attributes.get("time_added")),
            is_read=self._is_read(),
            is_favorite=flag(attributes.get("favorite") or attributes.get("data-important")),
            is_archived=True if _ARCHIVED_TAGS.intersection(tags) else None,
        )

    def _texts_of_description(self) -> tuple[str, str]:
        text = "".join(self._description).strip() or self._attributes.get("description", "").strip()
        before, start, rest = text.partition(_NOTES_START)
        if not start:
            return text, ""
        notes, _, after = rest.rpartition(_NOTES_END) if _NOTES_END in rest else (rest, "", "")
        return f"{before}{after}".strip(), notes.strip()

    def _tags(self) -> tuple[str, ...]:
        attributes = self._attributes
        text = attributes.get("tags") or attributes.get("labels") or ""
        return comma_names(text) if _OF_FIREFOX & attributes.keys() else comma_or_space_names(text)

    def _is_read(self) -> bool | None:
        to_read = flag(self._attributes.get("toread"))
        if to_read is None:
            return False if self._is_to_read else None
        return not to_read
