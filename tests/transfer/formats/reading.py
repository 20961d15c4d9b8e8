"""Reading a file the way the import does: detect the format, take records until the end or until a fault."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime

from backend.transfer.formats import detect_format
from backend.transfer.records import ImportedBookmark, ImportFormat, Record, SkippedLine, UnreadableFile

NETSCAPE = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n"
HEAD_BYTES = 64 * 1024


@dataclass
class Outcome:
    """What a file gave: the name of its format, its records, and the sentence of the fault that ended it."""

    format: str
    records: list[Record] = field(default_factory=list)
    fault: str = ""

    @property
    def bookmarks(self) -> list[ImportedBookmark]:
        return [each for each in self.records if isinstance(each, ImportedBookmark)]

    @property
    def skipped(self) -> list[SkippedLine]:
        return [each for each in self.records if isinstance(each, SkippedLine)]

    @property
    def only(self) -> ImportedBookmark:
        (bookmark,) = self.bookmarks
        return bookmark


def read_file(content: bytes | str) -> Outcome:
    """Detect the format of a file, which must be known, and read it to its end."""
    data = content.encode() if isinstance(content, str) else content
    file = io.BytesIO(data)
    found = detect_format(data[:HEAD_BYTES], file)
    assert found is not None, "no format was recognised"
    return read_as(found, data)


def read_as(found: ImportFormat, data: bytes) -> Outcome:
    """Read a file in a format, whether it is of it or not."""
    outcome = Outcome(found.name)
    file = io.BytesIO(data)
    try:
        for record in found.read(file):
            outcome.records.append(record)
    except UnreadableFile as fault:
        outcome.fault = str(fault)
    assert not file.closed, "the file belongs to the caller"
    return outcome


def netscape(body: str) -> Outcome:
    return read_file(f"{NETSCAPE}{body}\n</DL><p>\n")


def zipped(members: dict[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
