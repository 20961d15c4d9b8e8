"""The tables of Pocket, Instapaper and Raindrop, and any other."""

from __future__ import annotations

import pytest

from tests.transfer.formats.reading import read_file, utc

pytestmark = pytest.mark.unit

NOON = utc(2020, 9, 13, 12, 26, 40)


@pytest.mark.parametrize(
    "table",
    [
        "title,url,time_added,tags,status\nA,https://a.example/,1600000000,one|two,archive\n",
        'title,url,time_added,cursor,status,tags\nA,https://a.example/,1600000000,,archive,"one,two"\n',
        'url,title,tags,time_added,status\nhttps://a.example/,A,"one,two",1600000000,archive\n',
    ],
)
def test_pocket_has_its_columns_in_any_order(table):
    outcome = read_file(table)
    bookmark = outcome.only
    assert outcome.format == "pocket_csv"
    assert (bookmark.title, bookmark.tags, bookmark.created_at) == ("A", ("one", "two"), NOON)
    assert (bookmark.is_read, bookmark.is_archived) == (True, True)


def test_pocket_says_what_is_unread():
    bookmark = read_file("title,url,time_added,tags,status\nA,https://a.example/,1600000000,,unread\n").only
    assert (bookmark.is_read, bookmark.is_archived, bookmark.is_favorite) == (False, False, None)


@pytest.mark.parametrize(
    ("more", "values", "created_at", "tags"),
    [
        ("", "", None, ()),
        (",Timestamp", ",1600000000", NOON, ()),
        (",Timestamp,Tags", ',1600000000,"[""one"", ""two words""]"', NOON, ("one", "two words")),
        (",Timestamp,Tags", ",1600000000,[]", NOON, ()),
    ],
)
def test_instapaper_has_three_generations(more, values, created_at, tags):
    outcome = read_file(f"URL,Title,Selection,Folder{more}\nhttps://a.example/,A,quoted,Essays{values}\n")
    bookmark = outcome.only
    assert outcome.format == "instapaper_csv"
    assert (bookmark.description, bookmark.folders) == ("quoted", ("Essays",))
    assert (bookmark.created_at, bookmark.tags) == (created_at, tags)


@pytest.mark.parametrize(
    ("folder", "states"),
    [
        ("Unread", (False, None, False)),
        ("Archive", (True, None, True)),
        ("Starred", (None, True, None)),
    ],
)
def test_the_folders_that_instapaper_has_itself_are_states(folder, states):
    bookmark = read_file(f"URL,Title,Selection,Folder\nhttps://a.example/,A,,{folder}\n").only
    assert (bookmark.is_read, bookmark.is_favorite, bookmark.is_archived) == states
    assert bookmark.folders == ()


def test_raindrop_has_notes_highlights_nested_folders_and_favourites():
    outcome = read_file(
        "id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite\n"
        '1,A,"my ""note""\nin lines",text,https://a.example/,Work / On/off,"one, two words",'
        "2020-09-13T12:26:40.000Z,,marked,true\n"
        "2,B,,,https://b.example/,Unsorted,,2020-09-13T12:26:40.000Z,,,false\n"
    )
    first, second = outcome.bookmarks
    assert outcome.format == "raindrop_csv"
    assert (first.notes, first.description) == ('my "note"\nin lines\n\nmarked', "text")
    assert (first.folders, first.tags, first.created_at) == (("Work", "On/off"), ("one", "two words"), NOON)
    assert (first.is_favorite, second.is_favorite, second.folders) == (True, False, ())
    assert (first.line, second.line) == (2, 4)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_table_is_read_by_the_names_of_its_columns(delimiter, ending):
    rows = [
        ["Date Added", "Link", "Page Title", "Labels", "isFavorite", "To Read"],
        ["2020-09-13 12:26:40", "https://a.example/", '"A ""b""\nc"', '"x, y"', "yes", "1"],
    ]
    outcome = read_file("\ufeff" + "".join(delimiter.join(row) + ending for row in rows))
    bookmark = outcome.only
    assert outcome.format == "csv"
    assert (bookmark.title, bookmark.tags, bookmark.created_at) == ('A "b"\nc', ("x", "y"), NOON)
    assert (bookmark.is_favorite, bookmark.is_read) == (True, False)


def test_a_line_for_excel_names_the_delimiter():
    assert read_file("sep=;\nurl;title,all\nhttps://a.example/;A\n").only.url == "https://a.example/"


@pytest.mark.parametrize("row", ["https://a.example/,A title", "A title,https://a.example/"])
def test_a_table_without_a_header_is_read_by_where_addresses_stand(row):
    bookmark = read_file(f"{row}\n").only
    assert (bookmark.url, bookmark.title, bookmark.line) == ("https://a.example/", "A title", 1)


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("one", ("one",)),
        ("two words", ("two words",)),
        ("#one #two", ("one", "two")),
        ("one;two", ("one", "two")),
        ("one|two,three", ("one", "two,three")),
        ('"[""one"",{""name"":""two""}]"', ("one", "two")),
        ("[one]", ("one",)),
    ],
)
def test_tags_stand_in_one_field_in_many_ways(written, tags):
    cell = written if written.startswith('"') else f'"{written}"'
    assert read_file(f"url,tags\nhttps://a.example/,{cell}\n").only.tags == tags


def test_no_line_vanishes_where_commas_stand_without_quotes():
    outcome = read_file("title,url\nA,https://a.example/\nB, or so,https://b.example/\n,\n\nC,\n")
    assert outcome.only.url == "https://a.example/"
    assert [(each.line, each.url) for each in outcome.skipped] == [(3, "https://b.example/"), (6, "")]


def test_a_table_that_ends_inside_quotes_says_where_they_open():
    outcome = read_file('url,title\nhttps://a.example/,A\nhttps://b.example/,"B\nhttps://c.example/,C\n')
    assert outcome.only.url == "https://a.example/"
    assert "quotes of line 3" in outcome.fault


def test_a_table_that_breaks_off_in_a_row_reports_it():
    outcome = read_file("url,title,tags\nhttps://a.example/,A,x\nhttps://b.example/,B")
    assert [(each.line, each.url) for each in outcome.skipped] == [(3, "https://b.example/")]


def test_the_last_row_may_be_as_short_as_others_are():
    assert len(read_file("url,title\nhttps://a.example/\nhttps://b.example/").bookmarks) == 2


def test_a_field_of_ten_megabytes_is_read_and_a_larger_one_is_refused():
    long = "x" * 10_000_000
    assert len(read_file(f"url,title,notes\nhttps://a.example/,A,{long}\n").only.notes) == 10_000_000
    outcome = read_file(f"url,title,notes\nhttps://a.example/,A,\nhttps://b.example/,B,{long}{long}\n")
    assert outcome.only.url == "https://a.example/"
    assert "Line 3" in outcome.fault
