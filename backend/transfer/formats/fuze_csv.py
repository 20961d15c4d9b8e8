"""Our own CSV export, which `export/bookmark_csv.py` writes: known by its header, read back exactly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from backend.transfer.escapes import read_tags, unguard_cell
from backend.transfer.formats.fuze_json import moment_of
from backend.transfer.records import ImportedBookmark, ImportFormat, Record, SkippedLine, UnreadableFile

# The columns of the first release; later ones stand behind them.
COLUMNS = (
    "url", "title", "description", "notes", "tags", "is_read", "is_favorite", "is_archived", "created_at",
    "updated_at", "projects",
)  # fmt: skip
HEADER = ",".join(COLUMNS).encode()
# The longest note, and room to spare. The limit is one for the whole process.
LONGEST_CELL = 1_000_000
MARKS = {"true": True, "false": False}


def is_fuze_csv(head: bytes) -> bool:
    """Tell by its header whether a file is our own export."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(HEADER)


def read_fuze_csv(file: BinaryIO) -> Iterator[Record]:
    """Read the bookmarks of an export, one at a time in memory; the header is line 1.

    Raises:
        UnreadableFile: it is not in UTF-8, or no CSV.
    """
    file.seek(0)
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        next(rows, None)
        line = rows.line_num + 1
        for row in rows:
            yield _record(line, row)
            line = rows.line_num + 1
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFile(f"The file is damaged at line {rows.line_num}.") from error
    finally:
        # The file belongs to the caller.
        text.detach()


def _record(line: int, row: Sequence[str]) -> Record:
    if len(row) < len(COLUMNS):
        return SkippedLine(line, row[0] if row else "", "This line has too few columns.")
    cells = dict(zip(COLUMNS, map(unguard_cell, row), strict=False))
    return ImportedBookmark(
        line,
        cells["url"],
        title=cells["title"],
        description=cells["description"],
        notes=cells["notes"],
        tags=tuple(read_tags(cells["tags"])),
        created_at=moment_of(cells["created_at"]),
        is_read=MARKS.get(cells["is_read"]),
        is_favorite=MARKS.get(cells["is_favorite"]),
        is_archived=MARKS.get(cells["is_archived"]),
    )


FUZE_CSV = ImportFormat("fuze_csv", is_fuze_csv, read_fuze_csv)
