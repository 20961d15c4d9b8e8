"""Files as people have them after other programs have had them: other headers, encodings, orders and dates."""

from __future__ import annotations

import gzip
import json
from datetime import datetime

import pytest

from backend.transfer.formats import detect_format
from tests.transfer.formats.reading import NETSCAPE, netscape, read_file, utc, zipped

pytestmark = pytest.mark.unit

A, B = "https://a.example/", "https://b.example/"
NOON = utc(2020, 9, 13, 12, 26, 40)
MIDNIGHT = utc(2020, 9, 13)


@pytest.mark.parametrize(
    "table",
    [
        f'\ufeff"URL";"TITLE";"TAGS"\r\n"{A}";"One; two";"x,y"\r\n',
        f'"Title", "URL", "Tags"\n"One; two", "{A}", "x,y"\n',
        f"\n\n tags | Title | Url \nx;y|One; two|{A}\n",
        f"TAGS\tPage Title\tWeb-Address\r[x]\tOne; two\t{A}\r".replace("[x]", "x,y"),
        f'sep=;\r\nUrl;tags;title\r\n{A};"x,y";"One; two"\r\n',
    ],
    ids=["semicolons and mark", "blanks behind commas", "bars and empty lines", "tabs and old Mac lines", "Excel"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_headers_stand_in_any_order_case_and_encoding(table, encoding):
    outcome = read_file(table.removeprefix("\ufeff").encode(encoding) if encoding == "utf-16" else table.encode())
    assert (outcome.format, outcome.fault, outcome.skipped) == ("csv", "", [])
    assert (outcome.only.url, outcome.only.title, outcome.only.tags) == (A, "One; two", ("x", "y"))


@pytest.mark.parametrize("header", ["Titel;Adresse;Schlagwort", "Titre;Lien;Mot", "題名;場所;札"])
def test_below_a_header_in_another_language_addresses_are_found_by_their_looks(header):
    outcome = read_file(f"{header}\nEins;{A};x\nZwei;{B};y\n")
    assert outcome.format == "csv"
    assert [(each.url, each.title, each.line) for each in outcome.bookmarks] == [(A, "Eins", 2), (B, "Zwei", 3)]


def test_below_a_header_that_is_known_in_part_the_known_columns_count():
    bookmark = read_file(f"Adresse;Tags;Title\n{A};x;One\n").only
    assert (bookmark.url, bookmark.title, bookmark.tags) == (A, "One", ("x",))


@pytest.mark.parametrize("row", [f"{A},One,", f",One,{A}", f"{A},One,{B}"])
def test_of_two_columns_with_one_name_the_first_that_is_filled_counts(row):
    bookmark = read_file(f"url,title,url\n{row}\n").only
    assert (bookmark.url, bookmark.title) == (A, "One")


@pytest.mark.parametrize(
    ("columns", "row", "format_name"),
    [
        ("URL;Title;Selection;Folder;Timestamp", f"{A};One;;Unread;1600000000", "instapaper_csv"),
        ("Folder,Timestamp,Selection,Title,URL", f"Unread,1600000000,,One,{A}", "instapaper_csv"),
        ("Favorite,Id,URL,Title,Folder,Created,Note,Excerpt", f"false,1,{A},One,Unsorted,{NOON}, ,", "raindrop_csv"),
        ("STATUS,TAGS,URL,TIME_ADDED,TITLE", f"unread,,{A},1600000000,One", "pocket_csv"),
    ],
)
def test_products_are_known_whatever_the_order_of_their_columns(columns, row, format_name):
    outcome = read_file(f"{columns}\r\n{row}\r\n")
    assert outcome.format == format_name
    assert (outcome.only.url, outcome.only.title, outcome.only.created_at) == (A, "One", NOON)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("1600000000", NOON),
        ("1600000000000", NOON),
        ("1600000000000000", NOON),
        ("1600000000000000000", NOON),
        ("13244473600000000", NOON),
        (" 1600000000.0 ", NOON),
        ("2020-09-13T12:26:40.000000000Z", NOON),
        ("20200913T122640Z", NOON),
        ("2020-09-13T14:26:40+0200", NOON),
        ("2020-09-13 12:26:40 UTC", NOON),
        ("Sun, 13 Sep 2020 12:26:40 GMT", NOON),
        ("Sun Sep 13 2020 14:26:40 GMT+0200 (Central European Summer Time)", NOON),
        ("[13/Sep/2020:12:26:40 +0000]", NOON),
        ("2020/09/13 12:26:40", NOON),
        ("13.09.2020 12:26:40", NOON),
        ("2020-09-13", MIDNIGHT),
        ("2020/09/13", MIDNIGHT),
        ("13.09.2020", MIDNIGHT),
        ("Sep 13, 2020", MIDNIGHT),
        ("September 13, 2020", MIDNIGHT),
        # Which of the two is the month, nobody can tell of 04/05/2020; what counts nothing is no date.
        ("09/13/2020", None),
        ("-1", None),
        ("0", None),
        ("never", None),
    ],
)
def test_dates_are_read_in_every_unit_and_form(written, moment: datetime | None):
    assert netscape(f'<DT><A HREF="{A}" ADD_DATE="{written}">One</A>').only.created_at == moment
    assert read_file(f'url,created\n{A},"{written}"\n').only.created_at == moment


def test_folders_lie_thirty_deep():
    names = tuple(f"Level {level}" for level in range(30))
    opened = "".join(f"<DT><H3>{name}</H3>\n<DL><p>\n" for name in names)
    outcome = netscape(f'{opened}<DT><A HREF="{A}">One</A>{"</DL><p>" * 30}<DT><A HREF="{B}">Two</A>')
    assert [(each.url, each.folders) for each in outcome.bookmarks] == [(A, names), (B, ())]


@pytest.mark.parametrize(
    "page",
    [
        f"<!doctype NETSCAPE-bookmark-FILE-1><dl><p><Dt><a HREF={A} Tags='x,y'>One</a></dl>",
        f'My links, saved today\n{NETSCAPE}<DT><A TAGS="x,y" HREF="{A}">One</A></DL>',
        f'<!-- by hand -->\r\n<DL>\r\n<DT>\r\n<A\r\nHREF=" {A}\r\n"\r\nTAGS="x, y">One</A>\r\n</DL>',
        f'<HTML><BODY><DL><DT><A HREF="{A}" TAGS="x y"><B>One</B></A></DL></BODY></HTML>',
    ],
    ids=["lower case without quotes", "text before it", "lines inside of tags", "tags inside of the title"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_tags_are_written_in_any_way(page, encoding):
    outcome = read_file(page.encode(encoding))
    assert (outcome.format, outcome.fault) == ("netscape_html", "")
    assert (outcome.only.url, outcome.only.title, outcome.only.tags) == (A, "One", ("x", "y"))


@pytest.mark.parametrize(
    "content",
    [
        f'{{"url": "{A}", "title": "One", "tags": ["x"]}}\n{{"url": "{B}", "title": "Two"}}\n',
        f'\ufeff{{"url": "{A}", "title": "One", "tags": "x"}}\r\n\r\n{{"link": "{B}", "name": "Two"}}',
        json.dumps({"1": {"url": A, "title": "One", "tags": ["x"]}, "2": {"url": B, "title": "Two"}}),
        json.dumps(
            {"data": {"items": [{"href": A, "name": "One", "labels": [{"name": "x"}]}, {"uri": B, "title": "Two"}]}}
        ),
        json.dumps(
            {"list": {"7": {"given_url": A, "given_title": "One", "tags": "x"}, "8": {"url": B, "title": "Two"}}}
        ),
        f'[{{"url": "{B}", "title": "One", "url": "{A}", "tags": ["x"]}}, {{"url": "{B}", "title": "Two"}}]',
    ],
    ids=[
        "lines",
        "lines with a mark",
        "objects by their ids",
        "lists inside",
        "as Pocket's API",
        "keys that come twice",
    ],
)
def test_json_has_any_shape(content):
    outcome = read_file(content)
    assert (outcome.format, outcome.fault, outcome.skipped) == ("json", "", [])
    first, second = outcome.bookmarks
    assert (first.url, first.title, first.tags) == (A, "One", ("x",))
    assert (second.url, second.title, second.tags) == (B, "Two", ())


def test_json_lines_keep_folders_and_say_where_they_break_off():
    outcome = read_file(f'{{"url": "{A}", "folder": "Work/Fuze"}}\n{{"url": "{B}", "fol')
    assert [(each.url, each.folders) for each in outcome.bookmarks] == [(A, ("Work", "Fuze"))]
    assert "breaks off" in outcome.fault


def test_chrome_files_without_the_types_of_nodes_are_read():
    node = {"name": "One", "url": A, "date_added": 13_244_473_600_000_000}
    outcome = read_file(json.dumps({"roots": {"other": {"children": [{"name": "Work", "children": [node]}]}}}))
    assert outcome.format == "chrome_json"
    assert (outcome.only.url, outcome.only.folders, outcome.only.created_at) == (A, ("Work",), NOON)


@pytest.mark.parametrize(
    ("content", "format_name"),
    [
        ({"bookmarks": [{"createdAt": None, "title": None, "tags": None, "content": {"url": A}}]}, "karakeep_json"),
        ({"username": "x", "collections": [{"name": "", "links": [{"url": A, "tags": None}]}]}, "linkwarden_json"),
        ([{"slug": "a", "url": A, "title": None, "state": None, "labels": None, "savedAt": None}], "omnivore_json"),
        ([{"href": A, "description": False, "tags": None, "time": None, "toread": None}], "pinboard_json"),
        ([{"url": A, "is_archived": None, "is_starred": None, "tags": None}], "wallabag_json"),
        ({"bookmarks": [{"article__url": A, "article__title": None, "tags": None}]}, "readability_json"),
    ],
)
def test_fields_may_hold_nothing(content, format_name):
    outcome = read_file(json.dumps(content))
    bookmark = outcome.only
    assert (outcome.format, outcome.fault) == (format_name, "")
    assert (bookmark.url, bookmark.title, bookmark.tags, bookmark.created_at) == (A, "", (), None)


@pytest.mark.parametrize("length", [2_001, 1_500_000])
def test_huge_titles_are_read_whole_from_every_kind_of_file(length):
    title = "é" * length
    for content in (json.dumps([{"url": A, "title": title}]), f'url,title\n{A},"{title}"\n'):
        assert read_file(content).only.title == title
    assert netscape(f'<DT><A HREF="{A}">{title}</A>').only.title == title


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (f"[[{A}][One]]", "One"),
        (f"- [[{A}]]", ""),
        (f"[One]({A})", "One"),
        (f"{A} | One", "One"),
        (f"1. <{A}> — One", "One"),
    ],
)
def test_a_list_begins_with_a_link_in_any_notation(line, title):
    outcome = read_file(f"{line}\n{B}\n")
    assert [(each.url, each.title) for each in outcome.bookmarks] == [(A, title), (B, "")]


def test_the_shortcut_of_a_desktop_is_a_link():
    assert read_file(f"[InternetShortcut]\r\nURL={A}\r\n").only.url == A


@pytest.mark.parametrize("lost", [1, 30, 60])
def test_a_zip_that_breaks_off_says_so(lost):
    outcome = read_file(zipped({"links.csv": f"url,title\n{A},One\n" * 50})[:-lost])
    assert (outcome.format, outcome.records) == ("zip", [])
    assert outcome.fault == "The zip archive is damaged."


def test_a_zip_of_files_with_wrong_extensions_is_read_by_their_content():
    outcome = read_file(
        zipped({"a.html": f"url,title\n{A},One\n", "b.csv": f'{NETSCAPE}<DT><A HREF="{B}">Two</A></DL>'})
    )
    assert [(each.url, each.title) for each in outcome.bookmarks] == [(A, "One"), (B, "Two")]


def test_other_compressed_files_have_no_format():
    content = gzip.compress(f'{NETSCAPE}<DT><A HREF="{A}">One</A></DL>'.encode())
    with open("/dev/null", "rb") as file:
        assert detect_format(content, file) is None
