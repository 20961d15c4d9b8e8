"""A format of the tests' own: each line a JSON object with the fields of a record, or a line that is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from backend.transfer.records import ImportedBookmark, ImportFormat, Record, SkippedLine, UnreadableFile

MARK = b'{"test": "lines"}'


def _read(file: BinaryIO) -> Iterator[Record]:
    file.readline()
    for number, line in enumerate(file, 2):
        if line == b"!\n":
            raise UnreadableFile(f"Line {number} is broken.")
        fields = json.loads(line)
        if "reason" in fields:
            yield SkippedLine(number, fields["url"], fields["reason"])
            continue
        moment = fields.pop("created_at", None)
        fields |= {name: tuple(fields[name]) for name in ("tags", "folders") if name in fields}
        yield ImportedBookmark(number, created_at=datetime.fromisoformat(moment) if moment else None, **fields)


JSON_LINES = ImportFormat("test_lines", lambda head: head.startswith(MARK), _read)


def lines_file(records: Iterable[dict[str, Any]], *more: bytes) -> bytes:
    """A file of this format."""
    return b"\n".join([MARK, *(json.dumps(record).encode() for record in records), *more]) + b"\n"


def links(number: int, start: int = 0, **fields: Any) -> Iterator[dict[str, Any]]:
    """Records of so many links, each of a page of its own."""
    for place in range(start, start + number):
        yield {"url": f"https://site{place % 97}.example.org/{place}", "title": f"Page {place}", **fields}
