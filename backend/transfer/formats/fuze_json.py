"""Our own JSON export, its bookmarks: `export/account_json.py` writes it, `transfer/account.py` restores the rest."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

import ijson

from backend.transfer.records import ImportedBookmark, ImportFormat, Record, SkippedLine, UnreadableFile

VERSION = 1
HEAD = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"fuze"')


def is_fuze_json(head: bytes) -> bool:
    """Tell by its first bytes whether a file is our own export."""
    return HEAD.match(head) is not None


def read_fuze_json(file: BinaryIO) -> Iterator[Record]:
    """Read the bookmarks of an export, one at a time in memory.

    Raises:
        UnreadableFile: it is of a later version, cut off, or no JSON.
    """
    check_version(file)
    for line, item in enumerate(read_section(file, "bookmarks"), start=1):
        yield _record(line, item)


def check_version(file: BinaryIO) -> None:
    """Pass if this release can read the file.

    Raises:
        UnreadableFile: it is of a later version, or does not tell one.
    """
    version = next(_items(file, "version"), None)
    if version != VERSION:
        raise UnreadableFile(f"This export is of version {version}; this server reads version {VERSION}.")


def read_section(file: BinaryIO, name: str) -> Iterator[Any]:
    """Read the items of one list of an export, from the beginning of the file; none if it has no such list.

    Raises:
        UnreadableFile: the file is cut off, or no JSON.
    """
    yield from _items(file, f"{name}.item")


def moment_of(value: object) -> datetime | None:
    """Read a time as RFC 3339 has it; None for what is none."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _items(file: BinaryIO, prefix: str) -> Iterator[Any]:
    file.seek(0)
    # The parser takes no byte order mark.
    file.seek(len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0)
    try:
        yield from ijson.items(file, prefix, use_float=True)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise UnreadableFile("The file is damaged: its JSON breaks off or is not well-formed.") from error


def _record(line: int, item: object) -> Record:
    if not isinstance(item, Mapping) or not isinstance(item.get("url"), str):
        return SkippedLine(line, "", "This item has no URL.")
    tags = item.get("tags")
    return ImportedBookmark(
        line,
        item["url"],
        title=_text(item.get("title")),
        description=_text(item.get("description")),
        notes=_text(item.get("notes")),
        tags=tuple(name for name in tags if isinstance(name, str)) if isinstance(tags, list) else (),
        created_at=moment_of(item.get("created_at")),
        is_read=_mark(item.get("is_read")),
        is_favorite=_mark(item.get("is_favorite")),
        is_archived=_mark(item.get("is_archived")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mark(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


FUZE_JSON = ImportFormat("fuze", is_fuze_json, read_fuze_json)
