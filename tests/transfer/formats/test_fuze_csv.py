"""Our own CSV as one of the formats that are imported."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.transfer.escapes import guard_cell, write_tags
from backend.transfer.export.bookmark_csv import HEADER, write_lines
from backend.transfer.formats.fuze_csv import COLUMNS, FUZE_CSV
from backend.transfer.records import ImportedBookmark, Record, SkippedLine, UnreadableFile

pytestmark = pytest.mark.unit
REST = ("true", "false", "true", "2020-01-02T03:04:05Z", "2021-01-01T00:00:00Z", "")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
TAGS = st.lists(TEXT.map(str.strip).filter(bool), max_size=3)


def read(content: str | bytes) -> list[Record]:
    """The records of a file."""
    return list(FUZE_CSV.read(io.BytesIO(content if isinstance(content, bytes) else content.encode())))


def test_the_reader_knows_the_columns_that_are_written() -> None:
    assert HEADER[: len(COLUMNS)] == COLUMNS


@pytest.mark.parametrize(("before", "after"), [("", "\r\n"), ("\ufeff", "\r\n"), ("", ",later\r\n")])
def test_a_file_is_known_by_its_header(before: str, after: str) -> None:
    assert FUZE_CSV.detect(f"{before}{','.join(HEADER)}{after}".encode())
    assert not FUZE_CSV.detect(b"url,title,tags\r\n")


@given(TEXT, TEXT, TEXT, TAGS)
def test_any_text_is_read_back(title: str, description: str, notes: str, tags: list[str]) -> None:
    cells = ("https://example.org/", title, description, notes, write_tags(tags), *REST)
    [found] = read(write_lines([HEADER, [guard_cell(cell) for cell in cells]]))
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    whole = ImportedBookmark(2, cells[0], title, description, notes, tuple(tags), (), moment, True, False, True)
    assert found == whole


def test_lines_are_counted_as_the_file_has_them() -> None:
    cells = ("https://example.org/", "", "", "a\nb\nc", "", *REST)
    found = read(write_lines([HEADER, cells, ("u", "too few"), cells]))
    assert [(type(record), record.line) for record in found] == [
        (ImportedBookmark, 2),
        (SkippedLine, 5),
        (ImportedBookmark, 6),
    ]


def test_columns_of_later_releases_are_passed_over() -> None:
    content = write_lines([(*HEADER, "later"), ("https://example.org/", "", "", "", "", *REST, "more")])
    assert len(read(content)) == 1


def test_the_longest_note_is_read() -> None:
    [found] = read(write_lines([HEADER, ("u", "", "", "n" * 200_000, "", *REST)]))
    assert isinstance(found, ImportedBookmark)
    assert len(found.notes) == 200_000


@pytest.mark.parametrize("content", [b"\xff", b'u,"open'], ids=["no UTF-8", "an open quote"])
def test_what_cannot_be_read_says_so(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="line"):
        read(f"{','.join(HEADER)}\r\n".encode() + content)


def test_the_file_stays_open_for_the_caller() -> None:
    file = io.BytesIO(f"{','.join(HEADER)}\r\n".encode())
    assert list(FUZE_CSV.read(file)) == []
    assert file.seek(0) == 0
