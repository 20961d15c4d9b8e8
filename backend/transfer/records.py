"""What the reader of every format yields: bookmarks, and lines that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class ImportedBookmark:
    """One bookmark of a file, as the file tells it: nothing is checked or normalised yet.

    `line` counts from 1: the line of the file where it is one of lines, else the place of the item.
    `folders` is the path of folders or collections that it lies in, outermost first. None where a file does not say.
    """

    line: int
    url: str
    title: str = ""
    description: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    created_at: datetime | None = None
    is_read: bool | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line that is no bookmark, such as a separator's address or a `javascript:` link, and why."""

    line: int
    url: str
    reason: str


Record = ImportedBookmark | SkippedLine


@dataclass(frozen=True)
class ImportFormat:
    """A format: its name in the API, whether a file's first bytes look like it, and its reader.

    `detect` takes up to the first 64 KiB. `read` takes a seekable file and yields records lazily, in bounded memory.

    Raises (from `read`):
        UnreadableFile: nothing more can be read; what was yielded before stands.
    """

    name: str
    detect: Callable[[bytes], bool]
    read: Callable[[BinaryIO], Iterator[Record]]


class UnreadableFile(Exception):
    """A file cannot be read as the format that it was taken for; the message is shown to the person."""
