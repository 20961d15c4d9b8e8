"""Our own HTML export, which `export/netscape_html.py` writes: a Netscape reader's records, our escapes undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from backend.transfer.escapes import MARK, unescape
from backend.transfer.records import ImportedBookmark, Record


def is_fuze_html(head: bytes) -> bool:
    """Tell by the comment in its head whether a file is our own export."""
    return MARK.encode() in head[:1024]


def unescaped(read: Callable[[BinaryIO], Iterator[Record]]) -> Callable[[BinaryIO], Iterator[Record]]:
    """Make a reader of Netscape's bookmark file one of our own export.

    The reader must leave escapes alone, part tags by commas where there is one, and take linkding's tag of what is
    archived for the mark that it is.
    """

    def read_exactly(file: BinaryIO) -> Iterator[Record]:
        for record in read(file):
            yield _unescaped(record) if isinstance(record, ImportedBookmark) else record

    return read_exactly


def _unescaped(record: ImportedBookmark) -> ImportedBookmark:
    return replace(
        record,
        title=unescape(record.title),
        description=unescape(record.description),
        notes=unescape(record.notes),
        tags=tuple(map(unescape, record.tags)),
        folders=tuple(map(unescape, record.folders)),
    )
