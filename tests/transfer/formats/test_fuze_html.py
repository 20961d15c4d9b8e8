"""What makes a Netscape reader one of our own HTML export."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from backend.transfer.export.netscape_html import HEAD
from backend.transfer.formats.fuze_html import is_fuze_html, unescaped
from backend.transfer.records import ImportedBookmark, Record, SkippedLine

pytestmark = pytest.mark.unit


def read(_file: BinaryIO) -> Iterator[Record]:
    """Stands for a Netscape reader."""
    yield ImportedBookmark(1, "https://example.org/%{2c}", "a%{20}", "%{25}{", "%{5b}", ("a%{2c} b",), ("%{9}",))
    yield SkippedLine(2, "place:%{2c}", "no link")


def test_a_file_is_known_by_its_comment() -> None:
    assert is_fuze_html(HEAD.encode())
    assert not is_fuze_html(b"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>")


def test_escapes_are_undone_everywhere_but_in_urls() -> None:
    assert list(unescaped(read)(io.BytesIO())) == [
        ImportedBookmark(1, "https://example.org/%{2c}", "a ", "%{", "[", ("a, b",), ("\t",)),
        SkippedLine(2, "place:%{2c}", "no link"),
    ]
