"""The JSON exports of browsers and services, and lists of anything with an address."""

from __future__ import annotations

import json

import pytest

from tests.transfer.formats.reading import read_file, utc

pytestmark = pytest.mark.unit

NOON = utc(2020, 9, 13, 12, 26, 40)
A = "https://a.example/"
B = "https://b.example/"


def read_json(value: object):
    return read_file(json.dumps(value))


def chrome(*bar: dict[str, object]) -> dict[str, object]:
    root = {"children": list(bar), "name": "Lesezeichenleiste", "type": "folder"}
    return {"checksum": "0", "roots": {"bookmark_bar": root, "other": {**root, "children": []}}, "version": 1}


def test_chrome_names_a_folder_after_what_lies_in_it():
    entry = {"date_added": "13244473600000000", "name": "A", "type": "url", "url": A}
    inner = {"children": [entry], "name": "Inner", "type": "folder"}
    outcome = read_json(chrome(entry, {"children": [inner, entry], "name": "Outer", "type": "folder"}))
    assert outcome.format == "chrome_json"
    assert [each.folders for each in outcome.bookmarks] == [(), ("Outer", "Inner"), ("Outer",)]
    assert outcome.bookmarks[0].created_at == NOON
    assert [each.line for each in outcome.bookmarks] == [1, 2, 3]


def test_vivaldi_has_descriptions():
    entry = {"meta_info": {"Description": "text"}, "name": "A", "type": "url", "url": A}
    assert read_json(chrome(entry)).only.description == "text"


def test_what_lies_in_the_trash_of_vivaldi_is_reported():
    entry = {"name": "A", "type": "url", "url": A}
    outcome = read_json({"roots": {"bookmark_bar": {"children": [entry]}, "trash": {"children": [entry]}}})
    assert (outcome.only.line, outcome.skipped[0].line) == (1, 2)


def place(uri: str, **more: object) -> dict[str, object]:
    return {"title": "A", "dateAdded": 1600000000000000, "type": "text/x-moz-place", "uri": uri, **more}


def container(title: str, *children: dict[str, object], **more: object) -> dict[str, object]:
    return {"title": title, "type": "text/x-moz-place-container", **more, "children": list(children)}


def test_firefox_has_tags_descriptions_and_separators():
    annotations = [{"name": "bookmarkProperties/description", "value": "text"}]
    folder = container("Own", place(A, tags="one,two words", annos=annotations), {"type": "text/x-moz-place-separator"})
    menu = container("Menü", folder, place("place:sort=8"), root="bookmarksMenuFolder")
    outcome = read_json(container("", menu, guid="root________", root="placesRoot"))
    bookmark = outcome.only
    assert outcome.format == "firefox_json"
    assert (bookmark.folders, bookmark.tags, bookmark.description) == (("Own",), ("one", "two words"), "text")
    assert bookmark.created_at == NOON
    assert [each.url for each in outcome.skipped] == ["place:sort=8"]


def test_in_old_firefox_files_a_tag_is_a_folder():
    tags = container("Tags", container("one", place(A)), root="tagsFolder")
    outcome = read_json(container("", tags, container("Menu", place(A), root="bookmarksMenuFolder"), root="placesRoot"))
    assert [(each.tags, each.folders) for each in outcome.bookmarks] == [(("one",), ()), ((), ())]


def test_pinboard_calls_titles_descriptions():
    item = {
        "href": A, "description": "A", "extended": "text", "time": "2020-09-13T12:26:40Z", "toread": "yes",
        "shared": "no", "tags": "one two",
    }  # fmt: skip
    outcome = read_json([item, {**item, "href": B, "toread": "no"}])
    first, second = outcome.bookmarks
    assert outcome.format == "pinboard_json"
    assert (first.title, first.description, first.tags, first.created_at) == ("A", "text", ("one", "two"), NOON)
    assert (first.is_read, second.is_read) == (False, True)


def test_omnivore_has_states_and_labels():
    item = {
        "id": "1", "slug": "a", "title": "A", "description": "text", "author": None, "url": A, "state": "Archived",
        "labels": ["one", "two words"], "savedAt": "2020-09-13T12:26:40.000Z", "publishedAt": None,
    }  # fmt: skip
    outcome = read_json([item, {**item, "state": "Active"}])
    first, second = outcome.bookmarks
    assert outcome.format == "omnivore_json"
    assert (first.title, first.tags, first.created_at) == ("A", ("one", "two words"), NOON)
    assert (first.is_archived, second.is_archived) == (True, False)


def karakeep(**fields: object) -> dict[str, object]:
    plain = {"createdAt": 1600000000, "title": "A", "tags": [], "content": {"type": "link", "url": A}, "note": None}
    return {**plain, **fields}


def test_karakeep_has_lists_inside_lists_and_in_several_of_them():
    lists = [
        {"id": "1", "name": "Top", "type": "manual", "parentId": None},
        {"id": "2", "name": "Inner", "type": "manual", "parentId": "1"},
        {"id": "3", "name": "More", "type": "manual", "parentId": None},
        {"id": "4", "name": "Smart", "type": "smart", "parentId": None},
    ]
    items = [karakeep(lists=["4", "2", "3"], tags=["one"], note="mine", archived=True)]
    outcome = read_json({"bookmarks": items, "lists": lists})
    bookmark = outcome.only
    assert outcome.format == "karakeep_json"
    assert (bookmark.folders, bookmark.tags) == (("Top", "Inner"), ("one", "More"))
    assert (bookmark.notes, bookmark.is_archived, bookmark.created_at) == ("mine", True, NOON)


def test_karakeep_lists_that_are_their_own_parents_end():
    lists = [{"id": "1", "name": "X", "parentId": "2"}, {"id": "2", "name": "Y", "parentId": "1"}]
    assert read_json({"bookmarks": [karakeep(lists=["1"])], "lists": lists}).only.folders == ("Y", "X")


@pytest.mark.parametrize("content", [None, {"type": "text", "text": "a note"}, {"type": "asset"}])
def test_what_karakeep_holds_besides_links_is_reported(content):
    outcome = read_json({"bookmarks": [karakeep(content=content), karakeep()]})
    assert [each.line for each in outcome.skipped] == [1]
    assert outcome.only.line == 2


def test_linkwarden_has_collections_inside_collections():
    link = {"id": 1, "name": "A", "url": A, "description": "text", "tags": [{"id": 1, "name": "one"}]}
    link["createdAt"] = "2020-09-13T12:26:40.000Z"
    child = {"id": 5, "name": "Child", "parentId": 6, "links": [link, {**link, "id": 2, "url": None}]}
    parent = {"id": 6, "name": "Parent", "parentId": None, "links": [{**link, "id": 3}]}
    outcome = read_json({"username": "x", "collections": [child, parent], "pinnedLinks": [{"id": 3}]})
    first, second = outcome.bookmarks
    assert outcome.format == "linkwarden_json"
    assert (first.folders, second.folders) == (("Parent", "Child"), ("Parent",))
    assert (first.title, first.description, first.tags, first.created_at) == ("A", "text", ("one",), NOON)
    assert (first.is_favorite, second.is_favorite) == (None, True)
    assert len(outcome.skipped) == 1


def test_wallabag_1_writes_every_field_twice_and_the_page_before_the_names():
    row = {"0": "1", "1": "A", "2": A, "3": "1", "4": "1", "5": "<p>" * 30_000, "6": "1", "id": "1", "title": "A"}
    row |= {"url": A, "is_read": "1", "is_fav": "1", "content": "<p>" * 30_000, "user_id": "1", "tags": "one,two"}
    outcome = read_json([row, {**row, "is_read": "0", "is_fav": "0", "tags": ""}])
    first, second = outcome.bookmarks
    assert outcome.format == "wallabag_json"
    assert (first.tags, first.is_read, first.is_favorite, first.is_archived) == (("one", "two"), True, True, True)
    assert (second.tags, second.is_read, second.is_favorite, second.is_archived) == ((), False, False, False)


@pytest.mark.parametrize(("yes", "no"), [(True, False), (1, 0)])
def test_wallabag_2_has_annotations(yes, no):
    item = {
        "is_archived": yes, "is_starred": no, "tags": ["one"], "id": 1, "title": "A", "url": A, "content": "<p>",
        "created_at": "2020-09-13T14:26:40+0200", "annotations": [{"text": "mine", "quote": "theirs", "ranges": []}],
    }  # fmt: skip
    bookmark = read_json([item]).only
    assert (bookmark.is_archived, bookmark.is_favorite, bookmark.tags) == (True, False, ("one",))
    assert (bookmark.created_at, bookmark.notes) == (NOON, "> theirs\nmine")


def test_readability_has_fields_with_two_underscores():
    item = {
        "article__url": A, "article__title": "A", "article__excerpt": "text&hellip;", "favorite": True,
        "archive": False, "date_added": "2020-09-13T12:26:40",
    }  # fmt: skip
    outcome = read_json({"bookmarks": [item], "recommendations": []})
    bookmark = outcome.only
    assert outcome.format == "readability_json"
    assert (bookmark.title, bookmark.description, bookmark.created_at) == ("A", "text…", NOON)
    assert (bookmark.is_favorite, bookmark.is_archived) == (True, False)


def test_shaarli_has_notes_that_lead_nowhere_else():
    item = {"id": 1, "url": A, "shorturl": "x", "title": "A", "description": "text", "tags": ["one"]}
    item["created"] = "2020-09-13T14:26:40+02:00"
    outcome = read_json([item, {**item, "url": "/shaare/x"}])
    assert outcome.format == "shaarli_json"
    assert (outcome.only.tags, outcome.only.created_at) == (("one",), NOON)
    assert "relative" in outcome.skipped[0].reason


@pytest.mark.parametrize(
    "value",
    [
        [{"url": A, "title": "A", "tags": [{"name": "one"}], "createdAt": "2020-09-13 12:26:40 UTC"}],
        {"version": 1, "items": [{"link": A, "name": "A", "labels": ["one"], "date_added": 1600000000}]},
        {"data": {"links": [{"Author": {"url": B}, "URL": A, "Title": "A", "tags": "one", "time": 1600000000.0}]}},
    ],
)
def test_any_list_of_objects_with_addresses_is_read(value):
    outcome = read_json(value)
    bookmark = outcome.only
    assert outcome.format == "json"
    assert (bookmark.url, bookmark.title, bookmark.tags, bookmark.created_at) == (A, "A", ("one",), NOON)


def test_a_list_of_texts_is_a_list_of_addresses():
    outcome = read_json([A, "javascript:x"])
    assert (outcome.only.url, len(outcome.skipped)) == (A, 1)


def test_what_stands_before_the_place_where_json_breaks_off_is_read():
    whole = json.dumps([{"href": f"{A}{number}", "description": "A"} for number in range(1000)])
    outcome = read_file(whole[: len(whole) // 2])
    assert len(outcome.bookmarks) == pytest.approx(500, abs=2)
    assert "breaks off or is broken after object" in outcome.fault


@pytest.mark.parametrize("broken", ["[" * 100_000, '{"a":' * 100_000, '[{"url":' + "[" * 100_000])
def test_json_that_is_nested_without_end_is_refused(broken):
    assert "nested more than" in read_file(f'[{{"url": "{A}"}}, {broken}').fault


def test_a_field_with_a_hundred_thousand_values_is_refused():
    assert "values" in read_json([{"url": A, "tags": ["x"] * 100_001}]).fault


def test_large_numbers_are_no_dates():
    assert read_json([{"url": A, "id": 2**63 - 1, "created": 10**18, "x": 1e300}]).only.created_at is not None
    assert read_json([{"url": A, "created": 1e300}]).only.created_at is None


@pytest.mark.parametrize("number", ["9" * 20, "9" * 10_000, "1e999"])
def test_a_number_that_no_machine_holds_is_a_fault_of_the_file(number):
    outcome = read_file(f'[{{"url": "{A}"}}, {{"url": "{B}", "id": {number}}}]')
    assert outcome.only.url == A
    assert "after object 2" in outcome.fault


def test_characters_that_no_database_stores_are_taken_out():
    assert read_file('[{"url": "https://a.example/", "title": "a\\u0000b", "tags": ["x\\u0000"]}]').only.title == "ab"
