"""The HTML exports of Pocket and Instapaper: links below a heading for each state."""

from __future__ import annotations

import pytest

from tests.transfer.formats.reading import read_file, utc

pytestmark = pytest.mark.unit

PAGE = """<!DOCTYPE html>
<html><head><title>Pocket Export</title></head><body>
<h1>Unread</h1>
<ul>
<li><a href="https://a.example/" time_added="1600000000" tags="one,two words">A</a></li>
</ul>
<h1>Read Archive</h1>
<ul>
<li><a href="https://b.example/" time_added="1600000001" tags="">B</a></li>
<li><a href="javascript:x" time_added="1600000001" tags="">C</a></li>
</ul>
</body></html>
"""


def test_links_have_the_state_of_their_heading():
    outcome = read_file(PAGE)
    assert outcome.format == "pocket_html"
    unread, archived = outcome.bookmarks
    assert (unread.title, unread.tags, unread.created_at) == ("A", ("one", "two words"), utc(2020, 9, 13, 12, 26, 40))
    assert (unread.is_read, unread.is_archived, archived.is_read, archived.is_archived) == (False, False, True, True)
    assert [each.line for each in outcome.skipped] == [10]


def test_a_page_without_headings_of_states_says_nothing_of_them():
    page = '<h1>Pocket Export</h1><ul><li><a href="https://a.example/" time_added="1">A</a></li></ul>'
    assert read_file(page).only.is_read is None


def test_instapaper_writes_the_same():
    page = '<html><head><title>Instapaper: Export</title></head><h1>Starred</h1><ol><li><a href="https://a.example/">A</a></ol>'
    outcome = read_file(page)
    assert (outcome.format, outcome.only.is_favorite) == ("pocket_html", True)


def test_a_page_that_breaks_off_says_so():
    outcome = read_file(PAGE[: PAGE.index("B</a>") + 1])
    assert [each.url for each in outcome.bookmarks] == ["https://a.example/", "https://b.example/"]
    assert "breaks off after line 9" in outcome.fault
