"""The table of formats, and what tells them apart."""

from __future__ import annotations

import io

import pytest

from backend.transfer.formats import FORMATS, detect_format, format_named

pytestmark = pytest.mark.unit


def test_every_format_has_a_name_of_its_own_and_is_found_by_it():
    names = [each.name for each in FORMATS]
    assert len(set(names)) == len(names)
    assert [format_named(name) for name in names] == list(FORMATS)


def test_an_unknown_name_is_no_format():
    assert format_named("papyrus") is None


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"%PDF-1.7\n%\xe2\xe3",
        b"hello\nworld\n",
        b"{}",
        b'{"a": 1}',
        b"<html></html>",
    ],
)
def test_what_is_no_export_has_no_format(content):
    assert detect_format(content, io.BytesIO(content)) is None
