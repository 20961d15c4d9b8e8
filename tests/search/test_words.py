"""GET /search by words (R-SEARCH)."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.search.results import read_hits
from backend.text.query_language import parse
from tests.support.api import Api, field_errors
from tests.support.pages import add_page
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ENVELOPE = {
    "items", "total", "page", "page_size", "total_pages", "has_next", "has_prev", "next_cursor", "mode", "degraded",
    "took_ms", "expanded",
}  # fmt: skip


def search(api: Api, q: str, **query: Any) -> dict[str, Any]:
    response = api.get("/search", q=q, **{"mode": "text", **query})
    assert response.status_code == 200, response.get_data(as_text=True)
    page: dict[str, Any] = response.json
    assert set(page) == ENVELOPE
    return page


def titles(api: Api, q: str, **query: Any) -> list[str]:
    return [item["bookmark"]["title"] for item in search(api, q, **query)["items"]]


def test_a_hit_is_a_whole_bookmark_with_score_and_highlights(ada: Api) -> None:
    saved = ada.save("https://example.org/a", title="A zebra", tags=["t"])
    page = search(ada, "zebra")
    assert [page["total"], page["mode"], page["degraded"]] == [1, "text", False]
    assert page["took_ms"] >= 0
    hit = page["items"][0]
    assert set(hit) == {"bookmark", "score", "matched", "highlights"}
    assert hit["bookmark"] == saved
    assert hit["score"] > 0
    assert hit["matched"] == ["text"]
    assert hit["highlights"] == {"title": "A <mark>zebra</mark>", "snippet": ""}


def test_hits_are_read_in_one_organization_only(ada: Api, bob: Api, context: Flask) -> None:
    id_ = bob.save("https://example.org/a", title="Apples")["id"]
    assert read_hits(bob.organization_id, [id_], parse("apples"), [id_]).keys() == {id_}
    assert read_hits(ada.organization_id, [id_], parse("apples"), [id_]) == {}


def test_every_field_is_searched_and_the_weighty_ones_come_first(ada: Api, context: Flask) -> None:
    page = ada.save("https://example.org/1", title="page")["id"]
    add_page(page, "about one zebra here")
    ada.save("https://example.org/2", title="notes", notes="about one zebra here")
    ada.save("https://example.org/3", title="description", description="about one zebra here")
    ada.save("https://example.org/4", title="tag", tags=["zebra"])
    ada.save("https://example.org/5", title="about one zebra here")
    ada.save("https://zebra.example.com/", title="domain")
    ada.save("https://example.org/6", title="nothing")
    found = titles(ada, "zebra")
    assert set(found[:2]) == {"tag", "about one zebra here"}
    assert found[2] == "description"
    assert set(found[3:5]) == {"notes", "domain"}
    assert found[5:] == ["page"]


@pytest.mark.parametrize("q", ["docs.google.com", "docs", "google"])
def test_hosts_are_found_whole_and_by_their_words(ada: Api, q: str) -> None:
    ada.save("https://www.docs.google.com/a", title="found")
    ada.save("https://github.com/a", title="other")
    assert titles(ada, q) == ["found"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("zebras", ["one", "two"]),
        ("ZEBRA", ["one", "two"]),
        ("zebra lion", ["one", "two"]),
        ('"zebra" "lion"', ["two"]),
        ("zebra or walrus", ["one", "three", "two"]),
        ("zebra OR walrus", ["one", "three", "two"]),
        ("zebra -lion", ["one"]),
        ('"striped zebra"', ["one"]),
        ('"zebra striped"', []),
        ("walr", []),
        ("café", ["three"]),
        ("CAFÉ", ["three"]),
        ("москва", ["three"]),
        ("東京", ["three"]),
        ("lazily", ["four"]),
        ("script", ["four"]),
        ("<script> lazily", ["four"]),
        ("tcp", ["five"]),
        ("IP/TCP", ["five"]),
        ("smaller", ["five"]),
        ("page", ["four"]),
    ],
)
def test_queries_read_as_people_write_them(ada: Api, context: Flask, q: str, found: list[str]) -> None:
    ada.save("https://example.org/1", title="one", notes="a striped zebra")
    ada.save("https://example.org/2", title="two", notes="a lion, a zebra")
    ada.save("https://example.org/3", title="three", notes="a walrus in the CAFÉ, Москва, 東京")
    four = ada.save("https://example.org/4", title="four", notes="How to load a <script> lazily", tags=["<style>", "z"])
    add_page(four["id"], "It is <script> that a page needs")
    ada.save("https://example.org/5", title="five", notes="TCP/IP, a<b smaller b>c")
    assert sorted(titles(ada, q)) == found


WEIRD = [
    " ",
    '"',
    '""',
    '"unfinished',
    "-",
    "--",
    "- -",
    "-zebra",
    "or",
    "or or",
    "OR zebra",
    "zebra or",
    "'; DROP TABLE bookmarks; --",
    "\\",
    "%",
    "_",
    "zebra:*",
    "zebra & !lion | (",
    "<->",
    ":*",
    "!!!",
    "((((",
    "a" * 1000,
    "a " * 500,
    "-a " * 333,
    '"a" ' * 250,
    "or " * 333,
    "😀",
    "😀 zebra",
    "😀" * 600,
    "字" * 800,
    "\u202e\u200b\ufeff",
    "\x01\x7f",
    "\ue000\ue001\ue002",
    "tag:x",
    "is:unread before:2026-01-31",
    "before:yesterday site: lang:",
    "http://example.org/zebra?x=1",
    "ada@example.org",
    "/usr/bin/env",
    "1e999 -5 0x10",
    "the",
]


def test_no_query_is_an_error(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/zebra", tags=["zebra", "lion"], notes="a zebra 😀")
    add_page(saved["id"], "and a zebra " + " ".join(WEIRD))
    for q in WEIRD:
        ada.patch(f"/bookmarks/{saved['id']}", {"title": q, "description": q})
        page = search(ada, q)
        assert page["total"] == len(page["items"])
        assert ada.get("/search", q=q).json["degraded"] == bool(parse(q).text)
        assert ada.get("/bookmarks", q=q).status_code == 200


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200))
def test_no_text_is_an_error_and_its_marks_are_balanced(ada: Api, words: str) -> None:
    known = ada.post("/bookmarks", {"url": "https://example.org/", "capture": False}).json
    ada.patch(f"/bookmarks/{known['id']}", {"title": f"zebra {words}", "notes": f"{words} zebra"})
    assert ada.get("/search", q=words, mode="text").status_code == 200
    for item in search(ada, "zebra")["items"]:
        for marked in item["highlights"].values():
            assert re.fullmatch(r"(?:[^<>]|<mark>[^<>]*</mark>)*", marked)
            assert "<mark>zebra</mark>" in marked


@pytest.mark.parametrize(
    "words",
    [
        "a <b>bold</b> zebra & \"quotes\" 'here'",
        "<script>alert('zebra')</script>",
        "zebra <mark>not ours</mark> &lt;b&gt;",
        "<img src=x onerror=alert(1)> zebra",
        "zebra < lion > walrus",
        "zebra \ue000lion\ue001 \ue002script>",
        "a</mark><script>zebra",
    ],
)
def test_highlights_mark_words_and_escape_the_rest(ada: Api, words: str) -> None:
    ada.save("https://example.org/", title=words, description=words)
    shown = search(ada, "zebra")["items"][0]["highlights"]
    bare = {}
    for name, marked in shown.items():
        assert "<mark>zebra</mark>" in marked
        bare[name] = marked.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in bare[name]
    assert html.unescape(bare["title"]) == words
    assert html.unescape(bare["snippet"]) in words


def test_a_long_page_is_shown_by_the_part_that_matches(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/", title="long")
    add_page(saved["id"], "filler word " * 500 + "the zebra is here " + "more filler " * 500)
    snippet = search(ada, "zebra")["items"][0]["highlights"]["snippet"]
    assert "<mark>zebra</mark>" in snippet
    assert len(snippet) < 600


def test_a_word_far_down_a_page_is_shown_too(ada: Api, context: Flask, sql: SqlCounter) -> None:
    saved = ada.save("https://example.org/", title="long", description="what is saved")
    add_page(saved["id"], "filler word " * 5_000 + "the zebra <is> here " + "more filler " * 5_000)
    snippet = search(ada, "zebra")["items"][0]["highlights"]["snippet"]
    assert re.match(r"….*the <mark>zebra</mark> &lt;is&gt; here.*…$", snippet)
    # A filter alone shows the beginning, and what is shown already is not looked for again.
    assert search(ada, "site:example.org")["items"][0]["highlights"]["snippet"].startswith("what is saved")
    with sql.at_most(6):
        assert "<mark>saved</mark>" in search(ada, "saved")["items"][0]["highlights"]["snippet"]


def test_filters_of_the_list_apply(ada: Api) -> None:
    items = [
        {"title": "read", "is_read": True, "tags": ["a"]},
        {"title": "favorite", "is_favorite": True, "tags": ["a", "b"]},
        {"title": "archived", "is_archived": True},
        {"title": "old", "created_at": "2020-01-01T00:00:00Z"},
        {"title": "pending", "capture": True},
        {"title": "trash"},
    ]
    for place, item in enumerate(items):
        saved = ada.save(f"https://{item['title']}.example.org/{place}", **{"notes": "zebra", **item})
    ada.delete(f"/bookmarks/{saved['id']}")
    for query, found in [
        ({}, "favorite old pending read"),
        ({"is_read": "true"}, "read"),
        ({"is_favorite": "true"}, "favorite"),
        ({"is_archived": "any"}, "archived favorite old pending read"),
        ({"tag": ["a", "b"]}, "favorite"),
        ({"untagged": "true"}, "old pending"),
        ({"domain": "old.example.org"}, "old"),
        ({"created_before": "2021-01-01T00:00:00Z"}, "old"),
        ({"created_after": "2021-01-01T00:00:00Z"}, "favorite pending read"),
        ({"capture_status": "pending"}, "pending"),
        ({"project_id": "1"}, ""),
        ({"deleted": "true"}, "trash"),
    ]:
        assert sorted(titles(ada, "zebra", **query)) == found.split(), query


def test_pages_follow_each_other_and_totals_agree(ada: Api) -> None:
    items = [{"url": f"https://example.org/{place}", "notes": "zebra " * (place % 4 + 1)} for place in range(45)]
    ada.post("/bookmarks/bulk", {"items": [*items, {"url": "https://example.org/other"}]})
    whole = [item["bookmark"]["id"] for item in search(ada, "zebra", page_size=100)["items"]]
    assert len(set(whole)) == 45
    seen = []
    for number in range(1, 6):
        page = search(ada, "zebra", page=number, page_size=10)
        seen += [item["bookmark"]["id"] for item in page["items"]]
        assert [page[name] for name in ("total", "total_pages", "page", "page_size")] == [45, 5, number, 10]
        assert [page["has_next"], page["has_prev"]] == [number < 5, number > 1]
        assert (page["next_cursor"] is None) == (number == 5)
    assert seen == whole
    scores = [item["score"] for item in search(ada, "zebra", page_size=100)["items"]]
    assert scores == sorted(scores, reverse=True)


def walk(api: Api, page: dict[str, Any], q: str, **query: Any) -> list[int]:
    """The ids of a page and of all that its cursors lead to."""
    seen = [item["bookmark"]["id"] for item in page["items"]]
    number = page["page"]
    while page["next_cursor"]:
        page = search(api, q, cursor=page["next_cursor"], **query)
        number += 1
        assert [page["page"], page["has_prev"]] == [number, True]
        seen += [item["bookmark"]["id"] for item in page["items"]]
    return seen


def test_cursors_lead_through_all_that_was_found(ada: Api) -> None:
    items = [{"url": f"https://example.org/{place}", "notes": "zebra " * (place % 4 + 1)} for place in range(23)]
    ada.post("/bookmarks/bulk", {"items": items})
    whole = [item["bookmark"]["id"] for item in search(ada, "zebra", page_size=100)["items"]]
    for size in (1, 5, 23):
        assert walk(ada, search(ada, "zebra", page_size=size), "zebra", page_size=size) == whole
    first = search(ada, "zebra", page_size=5)
    # What is found anew and stands before shifts nothing, and what is gone leaves no gap.
    ada.save("https://example.org/new", title="zebra zebra zebra", tags=["zebra"])
    assert search(ada, "zebra", page_size=5)["items"][0]["bookmark"]["url"] == "https://example.org/new"
    assert walk(ada, first, "zebra", page_size=5) == whole
    ada.delete(f"/bookmarks/{whole[4]}")
    ada.delete(f"/bookmarks/{search(ada, 'zebra')['items'][0]['bookmark']['id']}")
    assert walk(ada, first, "zebra", page_size=5) == whole


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "bnVsbA", "WzFd", "WyJ0ZXh0IiwiYSIsMSwyXQ", "WyJ0ZXh0IiwxLDAsMV0", "é"]
)
def test_a_cursor_of_something_else_is_422(ada: Api, cursor: str) -> None:
    ada.save("https://example.org/", title="zebra")
    listed = ada.get("/bookmarks", page_size=1, cursor=cursor or None)
    assert listed.status_code == (200 if not cursor else 422)
    answer = ada.get("/search", q="zebra", mode="text", cursor=cursor)
    if cursor:
        assert field_errors(answer) == {"query.cursor": "cursor"}
    else:
        assert answer.status_code == 200


def test_a_query_of_nothing_finds_nothing(ada: Api) -> None:
    ada.save("https://example.org/")
    for q in ("", "   "):
        for mode in ("text", "hybrid", "semantic"):
            page = search(ada, q, mode=mode)
            assert [page["total"], page["items"], page["mode"]] == [0, [], mode]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"q": "x", "mode": "fuzzy"}, "mode"),
        ({"q": "x", "mode": ""}, "mode"),
        ({"q": "x", "is_read": "1"}, "is_read"),
        ({"q": "x", "sort": "title"}, "sort"),
        ({"q": ["x", "y"]}, "q"),
    ],
)
def test_a_bad_query_is_422(ada: Api, query: dict[str, Any], field: str) -> None:
    assert set(field_errors(ada.get("/search", **query))) == {f"query.{field}"}
