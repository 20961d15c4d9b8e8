"""Plain lists of addresses."""

from __future__ import annotations

import time

import pytest

from tests.transfer.formats.reading import read_file

pytestmark = pytest.mark.unit

URL = "https://a.example/x"


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (URL, ""),
        (f"  {URL}  ", ""),
        (f"<{URL}>", ""),
        (f"- {URL}", ""),
        (f"12. {URL} A title", "A title"),
        (f"{URL} | A title", "A title"),
        (f"A title: {URL}", "A title"),
        (f"* [A title]({URL})", "A title"),
        (f'* [A title]({URL} "more") - text', "A title"),
    ],
)
def test_a_line_holds_an_address_and_perhaps_a_title(line, title):
    bookmark = read_file(f"# heading\n\n{line}\n").only
    assert (bookmark.url, bookmark.title, bookmark.line) == (URL, title, 3)


def test_lines_without_an_address_are_reported_and_comments_are_not():
    outcome = read_file(f"{URL}\n# comment\nnonsense\njavascript:x\nwww.a.example/y\n")
    assert outcome.format == "url_list"
    assert [each.line for each in outcome.skipped] == [3, 4, 5]


def test_several_addresses_of_a_line_are_several_bookmarks():
    assert [each.url for each in read_file(f"{URL} {URL}2, <{URL}3>\n").bookmarks] == [URL, f"{URL}2", f"{URL}3"]


@pytest.mark.parametrize("piece", ["[", "[a](", "(", "a:", "https://", "<", "[]("])
def test_a_long_line_takes_no_longer_than_its_length(piece):
    started = time.process_time()
    read_file(f"{URL}\n{piece * (1_000_000 // len(piece))}\n")
    assert time.process_time() - started < 10


def test_several_markdown_links_of_a_line_are_several_bookmarks():
    assert len(read_file(f"- [one]({URL}) and [two]({URL}_(y))\n").bookmarks) == 2


@pytest.mark.parametrize("content", ["", "\n", "  \n\n", "\ufeff"])
def test_an_empty_file_is_an_empty_list(content):
    outcome = read_file(content)
    assert (outcome.records, outcome.fault) == ([], "")
