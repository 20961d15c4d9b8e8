"""The Netscape bookmark file in the dialects of those who write it."""

from __future__ import annotations

import pytest

from tests.transfer.formats.reading import NETSCAPE, netscape, read_file, utc

pytestmark = pytest.mark.unit

ENTRY = '<DT><A HREF="https://a.example/">A</A>'


def test_an_entry_has_address_title_date_tags_and_the_line_where_it_stands():
    outcome = netscape(
        '<DT><A HREF="https://a.example/?x=1&amp;y=2" ADD_DATE="1600000000" TAGS="one,two">A &lt;b&gt;</A>'
    )
    bookmark = outcome.only
    assert outcome.format == "netscape_html"
    assert (bookmark.url, bookmark.title) == ("https://a.example/?x=1&y=2", "A <b>")
    assert bookmark.created_at == utc(2020, 9, 13, 12, 26, 40)
    assert bookmark.tags == ("one", "two")
    assert bookmark.line == 5


@pytest.mark.parametrize(
    "url", ["https://a.example/?a=1&copy=2&lt=3", "https://a.example/?a=1&section=2", "https://a.example/#a&b"]
)
def test_an_address_that_was_not_escaped_is_read_as_browsers_do(url):
    assert netscape(f'<DT><A HREF="{url}">A</A>').only.url == url


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("1600000000", utc(2020, 9, 13, 12, 26, 40)),
        ("1600000000000", utc(2020, 9, 13, 12, 26, 40)),
        ("1600000000000000", utc(2020, 9, 13, 12, 26, 40)),
        ("13/Sep/2020:14:26:40 +0200", utc(2020, 9, 13, 12, 26, 40)),
        ("2020-09-13T12:26:40Z", utc(2020, 9, 13, 12, 26, 40)),
        ("0", None),
        ("", None),
        ("yesterday", None),
        ("-5", None),
    ],
)
def test_dates_are_read_in_every_form(written, moment):
    assert netscape(f'<DT><A HREF="https://a.example/" ADD_DATE="{written}">A</A>').only.created_at == moment


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("a,b", ("a", "b")),
        ("a, two words,b", ("a", "two words", "b")),
        ("a b  c", ("a", "b", "c")),
        (" a , ,a,", ("a",)),
        ("", ()),
    ],
)
def test_tags_stand_between_commas_or_blanks(written, tags):
    assert netscape(f'<DT><A HREF="https://a.example/" TAGS="{written}">A</A>').only.tags == tags


def test_firefox_puts_commas_only():
    assert netscape('<DT><A HREF="https://a.example/" LAST_CHARSET="UTF-8" TAGS="two words">A</A>').only.tags == (
        "two words",
    )


def test_a_description_keeps_its_lines():
    outcome = netscape(
        f"{ENTRY}\n<DD>one\n\n  * two &amp; three\n```\nx < y\n```\n<DT><A HREF='https://b.example/'>B</A>"
    )
    assert outcome.bookmarks[0].description == "one\n\n  * two & three\n```\nx < y\n```"
    assert outcome.bookmarks[1].description == ""


def test_a_line_break_in_a_description_is_one():
    assert netscape(f"{ENTRY}<DD>one<br>two").only.description == "one\ntwo"


def test_a_link_inside_a_description_is_part_of_it():
    outcome = netscape(
        f'{ENTRY}<DD>see <a href="https://c.example/x">there</a> and <a href="https://d.example/">\n</a>'
    )
    assert outcome.only.description == "see there https://c.example/x and \n https://d.example/"


def test_an_entry_without_its_dt_is_an_entry_also_after_a_description():
    outcome = netscape(
        f'{ENTRY}<DD>text<A HREF="https://b.example/" ADD_DATE="1">B</A>\n<A HREF="https://c.example/">C</A>'
    )
    assert [each.title for each in outcome.bookmarks] == ["A", "B", "C"]


@pytest.mark.parametrize("name", ["script", "style", "title", "textarea", "plaintext", "xmp", "noscript"])
def test_a_tag_that_stands_unescaped_in_a_text_swallows_nothing(name):
    outcome = netscape(f'{ENTRY}<DD>how <{name}> works\n<DT><A HREF="https://b.example/">B <{name}></A>')
    assert [each.title for each in outcome.bookmarks] == ["A", f"B <{name}>"]
    assert outcome.bookmarks[0].description == f"how <{name}> works"


def test_folders_are_a_path_and_that_of_the_toolbar_has_no_name():
    outcome = netscape(
        f"""<DT><H3 PERSONAL_TOOLBAR_FOLDER="true">Bookmarks bar</H3>
        <DL><p>{ENTRY}
          <DT><H3>Work &amp; play</H3><DD>about it<DL><p>{ENTRY}<DT><H3>Deep</H3><DL><p>{ENTRY}</DL><p></DL><p>
        </DL><p>
        <DT><H3 UNFILED_BOOKMARKS_FOLDER="true">Other</H3><DL><p>{ENTRY}</DL><p>
        {ENTRY}"""
    )
    paths = [each.folders for each in outcome.bookmarks]
    assert paths == [(), ("Work & play",), ("Work & play", "Deep"), (), ()]
    assert [each.description for each in outcome.bookmarks] == [""] * 5


def test_the_folders_of_a_file_without_an_outer_list_are_read():
    assert read_file(
        f"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DT><H3 FOLDED>F</H3>\n<DL><p>{ENTRY}</DL><p>\n"
    ).only.folders == ("F",)


def test_what_safari_saves_for_reading_is_unread():
    outcome = netscape(f'<DT><H3 FOLDED id="com.apple.ReadingList">Leseliste</H3><DL><p>{ENTRY}</DL><p>{ENTRY}')
    assert [each.is_read for each in outcome.bookmarks] == [False, None]


def test_linkding_puts_notes_and_the_archive_where_the_format_has_no_place_for_them():
    tags = "one,linkding:bookmarks.archived"
    bookmark = netscape(
        f'<DT><A HREF="https://a.example/" PRIVATE="1" TOREAD="1" TAGS="{tags}">A</A>\n'
        "<DD>text &lt;i&gt;[linkding-notes]first\n\n[second] &amp; third[/linkding-notes]"
    ).only
    assert (bookmark.description, bookmark.notes) == ("text <i>", "first\n\n[second] & third")
    assert (bookmark.tags, bookmark.is_archived, bookmark.is_read) == (("one",), True, False)


def test_scuttle_writes_the_description_as_an_attribute():
    entry = '<dt><a href="https://a.example/" description="one\n&quot;two&quot;" tags="x">A</a>'
    assert netscape(entry).only.description == 'one\n"two"'


@pytest.mark.parametrize("mark", ['DATA-IMPORTANT="true"', 'FAVORITE="1"'])
def test_raindrop_and_fuze_mark_favourites(mark):
    assert netscape(f'<DT><A HREF="https://a.example/" {mark}>A</A>').only.is_favorite


def test_a_feed_that_firefox_once_saved_is_a_bookmark_of_its_page_or_itself():
    outcome = netscape(
        '<DT><A FEEDURL="https://a.example/feed" HREF="https://a.example/">A</A><DT><A FEEDURL="https://b.example/f">B</A>'
    )
    assert [each.url for each in outcome.bookmarks] == ["https://a.example/", "https://b.example/f"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("place:sort=8&maxResults=10", "query of the browser"),
        ("javascript:void(0)", "script"),
        ("JavaScript:void(0)", "script"),
        ("data:text/html,x", "content itself"),
        ("chrome://settings", "page of the browser"),
        ("?aB3dE", "relative"),
        ("/path", "relative"),
        ("", "no address"),
    ],
)
def test_what_is_no_page_is_skipped_with_a_reason(url, reason):
    (skipped,) = netscape(f'<DT><A HREF="{url}">A</A>').skipped
    assert (skipped.url, skipped.line) == (url, 5)
    assert reason in skipped.reason


def test_a_separator_is_nothing():
    assert len(netscape(f"{ENTRY}<HR>{ENTRY}").records) == 2


@pytest.mark.parametrize(
    "rest", ['<DT><A HREF="https://b.exa', "<DT><A HREF='https://b.example/'>Tit", "<DD>Some te", "<!-- x"]
)
def test_what_stands_before_the_place_where_a_file_breaks_off_is_read(rest):
    outcome = read_file(f"{NETSCAPE}{ENTRY}\n{rest}")
    assert outcome.bookmarks[0].url == "https://a.example/"
    assert "breaks off after line 6" in outcome.fault


@pytest.mark.parametrize("end", ["", "\n", "</DL>", "<DD>text\n"])
def test_a_file_that_closes_none_of_its_lists_is_whole(end):
    assert read_file(f"{NETSCAPE}{ENTRY}{end}").fault == ""


def test_an_old_shaarli_file_has_no_list_at_all():
    assert read_file(f"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n{ENTRY}\n<DD>text").only.description == "text"


def test_entities_that_the_file_declares_are_not_expanded():
    outcome = read_file(
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname"><!ENTITY big "aaaa">]>'
        '<DL><DT><A HREF="https://a.example/">&file;&big;</A></DL>'
    )
    assert outcome.only.title == "&file;&big;"


def test_folders_are_nested_as_deep_as_anybody_does_and_no_deeper():
    assert len(netscape("<DT><H3>f</H3><DL>" * 150 + ENTRY + "</DL>" * 150).only.folders) == 150
    assert "nested more than" in netscape(ENTRY + "<DT><H3>f</H3><DL>" * 100_000).fault


@pytest.mark.parametrize("between", ["", "\n"])
def test_a_folder_holds_any_number_of_entries(between):
    assert len(netscape(between.join([ENTRY] * 3000)).bookmarks) == 3000


def test_a_tag_inside_an_attribute_stays_as_it_is():
    entry = '<DT><A HREF="https://a.example/" DESCRIPTION="a <dt> b">A</A>'
    assert netscape(ENTRY + entry).bookmarks[1].description == "a <dt> b"


def test_a_file_of_nothing_but_tags_ends_the_reading():
    outcome = netscape(ENTRY + "<" * 1_100_000)
    assert outcome.only.url == "https://a.example/"
    assert "hold no link" in outcome.fault


def test_tags_that_are_never_closed_end_the_reading():
    outcome = netscape(ENTRY + "<b>" * 100_000 + "</i>" * 100_000)
    assert outcome.only.url == "https://a.example/"
    assert "nested more than" in outcome.fault
