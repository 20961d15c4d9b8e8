"""Our own JSON as one of the formats that are imported."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.transfer.formats.fuze_json import FUZE_JSON
from backend.transfer.records import ImportedBookmark, Record, SkippedLine, UnreadableFile

pytestmark = pytest.mark.unit


def read(document: dict[str, Any] | bytes) -> list[Record]:
    """The records of a file."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(FUZE_JSON.read(io.BytesIO(content)))


def whole(*bookmarks: Any) -> dict[str, Any]:
    """An export of these bookmarks."""
    return {"format": "fuze", "version": 1, "tags": [], "bookmarks": list(bookmarks)}


@pytest.mark.parametrize(
    ("head", "is_ours"),
    [
        (b'{"format":"fuze","version":1', True),
        (b'\xef\xbb\xbf\r\n { "format" : "fuze" ,', True),
        (b'{"format":"pinboard"', False),
        (b'{"version":1,"bookmarks":[]}', False),
        (b'[{"format":"fuze"}]', False),
        (b"", False),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, is_ours: bool) -> None:
    assert FUZE_JSON.detect(head) is is_ours


def test_all_that_a_record_can_say_is_read() -> None:
    bookmark = {
        "url": "https://example.org/",
        "title": "T",
        "description": "D",
        "notes": "N",
        "tags": ["a", "b"],
        "is_read": True,
        "is_favorite": False,
        "is_archived": True,
        "created_at": "2020-01-02T03:04:05.678901Z",
    }
    assert read(whole(bookmark)) == [
        ImportedBookmark(
            1, "https://example.org/", "T", "D", "N", ("a", "b"), (),
            datetime(2020, 1, 2, 3, 4, 5, 678901, UTC), True, False, True,
        )
    ]  # fmt: skip


def test_what_is_of_another_kind_is_as_if_it_were_not_said() -> None:
    odd = {"url": "u", "title": 7, "tags": "a", "is_read": "yes", "created_at": "yesterday", "notes": None}
    assert read(whole(odd)) == [ImportedBookmark(1, "u")]


def test_items_without_a_url_are_told_by_their_place() -> None:
    found = read(whole({"url": "u"}, {"title": "no URL"}, 7))
    assert [(type(record), record.line) for record in found] == [
        (ImportedBookmark, 1),
        (SkippedLine, 2),
        (SkippedLine, 3),
    ]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(whole({"url": "u"})).encode()) == [ImportedBookmark(1, "u")]


@pytest.mark.parametrize("version", [2, "1", None])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(UnreadableFile, match="version"):
        read({**whole({"url": "u"}), "version": version})


def test_of_a_file_that_is_cut_off_what_came_before_stands() -> None:
    content = json.dumps(whole({"url": "u"}, {"url": "v"})).encode()
    records = FUZE_JSON.read(io.BytesIO(content[:-15]))
    assert next(records) == ImportedBookmark(1, "u")
    with pytest.raises(UnreadableFile, match="breaks off"):
        list(records)
