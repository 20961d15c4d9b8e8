"""GET /bookmarks: every filter and every order, alone and together (R-LIST 1)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.bookmarks.queries import _columns_list
from backend.extensions import db
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LINKS: list[dict[str, Any]] = [
    {"url": "https://alpha.example.org/1", "title": "alpha", "tags": ["python", "web"], "is_read": True},
    {"url": "https://www.beta.example.com/", "title": "Beta", "tags": ["Python"], "is_favorite": True},
    {"url": "http://alpha.example.org/2", "title": "gamma", "capture": True},
    {"url": "https://delta.example.net/", "title": "Delta", "tags": ["web"], "is_archived": True},
    {
        "url": "https://epsilon.example.net/",
        "title": "epsilon",
        "tags": ["web", "c++"],
        "notes": "a zebra",
        "is_read": True,
        "is_favorite": True,
    },
]
FEBRUARY = "2026-02-01T00:00:00Z"
# Filters and orders, and the titles that they leave of the five links above.
FILTERED: list[tuple[dict[str, Any], str]] = [
    ({}, "epsilon gamma Beta alpha"),
    ({"is_archived": "false"}, "epsilon gamma Beta alpha"),
    ({"is_archived": "true"}, "Delta"),
    ({"is_archived": "any"}, "epsilon Delta gamma Beta alpha"),
    ({"tag": "python"}, "Beta alpha"),
    ({"tag": "PYTHON"}, "Beta alpha"),
    ({"tag": " web\t"}, "epsilon alpha"),
    ({"tag": "c++"}, "epsilon"),
    ({"tag": ["python", "web"]}, "alpha"),
    ({"tag": ["python", "Python"]}, "Beta alpha"),
    ({"tag": ["python", "none"]}, ""),
    ({"tag": "pyth"}, ""),
    ({"tag": "%"}, ""),
    ({"tag": ""}, ""),
    ({"untagged": "true"}, "gamma"),
    ({"untagged": "false"}, "epsilon Beta alpha"),
    ({"untagged": "true", "tag": "web"}, ""),
    ({"domain": "alpha.example.org"}, "gamma alpha"),
    ({"domain": "www.BETA.example.com"}, "Beta"),
    ({"domain": "example.org"}, ""),
    ({"is_read": "true"}, "epsilon alpha"),
    ({"is_read": "false"}, "gamma Beta"),
    ({"is_favorite": "true"}, "epsilon Beta"),
    ({"is_favorite": "false"}, "gamma alpha"),
    ({"capture_status": "pending"}, "gamma"),
    ({"capture_status": "skipped"}, "epsilon Beta alpha"),
    ({"capture_status": "captured"}, ""),
    ({"capture_status": "failed"}, ""),
    ({"created_after": FEBRUARY}, "epsilon gamma"),
    ({"created_before": FEBRUARY}, "alpha"),
    (
        {"created_after": "2026-01-31T23:59:59.999999Z", "created_before": "2026-02-01T01:00:00.000001+01:00"},
        "Beta",
    ),
    ({"project_id": "1"}, ""),
    ({"q": "zebra"}, "epsilon"),
    ({"q": "zebra", "is_read": "false"}, ""),
    ({"q": "web -zebra"}, "alpha"),
    ({"q": ""}, "epsilon gamma Beta alpha"),
    ({"q": " \t"}, "epsilon gamma Beta alpha"),
    ({"q": "'; --"}, ""),
    ({"deleted": "true"}, ""),
    ({"deleted": "false"}, "epsilon gamma Beta alpha"),
    ({"sort": "created_at"}, "alpha Beta gamma epsilon"),
    ({"sort": "-created_at"}, "epsilon gamma Beta alpha"),
    ({"sort": "title", "is_archived": "any"}, "alpha Beta Delta epsilon gamma"),
    ({"sort": "-title"}, "gamma epsilon Beta alpha"),
    ({"sort": "updated_at"}, "alpha Beta gamma epsilon"),
    ({"sort": "-updated_at"}, "epsilon gamma Beta alpha"),
]


@pytest.fixture
def saved(ada: Api, bob: Api) -> Api:
    """Ada's five links, saved on the first days of January to May, and one of Bob's like each of them."""
    for api in (ada, bob):
        items = [
            {"capture": False, "created_at": f"2026-{month:02}-01T00:00:00Z", **link}
            for month, link in enumerate(LINKS, start=1)
        ]
        assert api.post("/bookmarks/bulk", {"items": items}).json["created"] == len(LINKS)
    return ada


def test_a_filter_leaves_what_it_says(saved: Api) -> None:
    for query, titles in FILTERED:
        assert saved.titles(**query) == titles.split(), query


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("untagged", "yes"),
        ("untagged", "1"),
        ("untagged", ""),
        ("is_read", "True"),
        ("is_favorite", "any"),
        ("is_archived", "all"),
        ("deleted", "any"),
        ("capture_status", "done"),
        ("project_id", "0"),
        ("project_id", "x"),
        ("project_id", str(2**63)),
        ("created_after", "2026-02-30"),
        ("created_after", "1700000000"),
        ("created_before", "2026-01-31T00:00:00"),
        ("created_before", "0000-01-01T00:00:00Z"),
        ("sort", "url"),
        ("sort", "--title"),
        ("sort", ""),
        ("q", "x" * 1001),
        ("domain", "x" * 256),
        ("tag", ["x"] * 51),
        ("tags", "python"),
        ("Q", "x"),
    ],
)
def test_what_no_filter_takes_is_422_and_named(ada: Api, name: str, value: Any) -> None:
    assert set(field_errors(ada.get("/bookmarks", **{name: value}))) == {f"query.{name}"}


@pytest.mark.parametrize("name", ["q", "is_read", "sort", "page", "domain", "deleted"])
def test_a_parameter_that_is_no_list_comes_once(ada: Api, name: str) -> None:
    assert field_errors(ada.get("/bookmarks", **{name: ["1", "1"]})) == {f"query.{name}": "repeated"}


def test_the_trash_is_a_list_of_its_own_archived_or_not(saved: Api) -> None:
    listed = saved.get("/bookmarks", is_archived="any").json["items"]
    for bookmark in listed:
        if bookmark["title"] in ("alpha", "Delta", "epsilon"):
            assert saved.delete(f"/bookmarks/{bookmark['id']}").status_code == 204
    assert saved.titles(is_archived="any") == ["gamma", "Beta"]
    assert saved.titles(deleted="true") == ["epsilon", "Delta", "alpha"]
    assert saved.titles(deleted="true", is_archived="false") == ["epsilon", "alpha"]
    assert saved.titles(deleted="true", tag="web", sort="title") == ["alpha", "Delta", "epsilon"]
    assert all(item["deleted_at"].endswith("Z") for item in saved.get("/bookmarks", deleted="true").json["items"])


def test_a_tag_with_spaces_of_another_kind_is_found_with_and_without_them(ada: Api) -> None:
    saved = ada.save("https://example.org/", title="found", tags=["\u00a0kept\u3000"])
    assert saved["tags"] == ["kept"]
    assert ada.titles(tag="\u00a0kept\u3000") == ada.titles(tag="kept") == ["found"]


def test_titles_sort_without_case_and_equal_ones_by_age(ada: Api) -> None:
    for number, title in enumerate(["b", "A", "", "a", "B", "ä", "Z"]):
        ada.save(f"https://example.org/{number}", title=title)
    assert ada.titles(sort="title") == ["", "A", "a", "b", "B", "Z", "ä"]
    assert ada.titles(sort="-title") == ["ä", "Z", "B", "b", "a", "A", ""]


def test_items_of_a_list_are_whole_bookmarks(saved: Api) -> None:
    for item in saved.get("/bookmarks", is_archived="any").json["items"]:
        assert saved.get(f"/bookmarks/{item['id']}").json == item


# A model of the list in a few lines of Python, against which combinations of filters and orders are compared.


def _random_links(rng: random.Random) -> list[dict[str, Any]]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        {
            "url": f"https://{rng.choice('abc')}.example.org/{number}",
            "title": rng.choice(["one", "Two", "three", "ONE", ""]),
            "tags": rng.sample(["x", "y", "z"], rng.randrange(3)),
            "notes": rng.choice(["", "", "zebra"]),
            "is_read": rng.random() < 0.5,
            "is_favorite": rng.random() < 0.5,
            "is_archived": rng.random() < 0.3,
            "capture": rng.random() < 0.5,
            "created_at": (start + timedelta(days=rng.randrange(6))).isoformat(),
        }
        for number in range(60)
    ]


def _random_query(rng: random.Random) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "tag": [["x"], ["Y"], ["x", "z"]],
        "untagged": ["true", "false"],
        "domain": ["a.example.org", "b.example.org"],
        "is_read": ["true", "false"],
        "is_favorite": ["true", "false"],
        "is_archived": ["true", "false", "any"],
        "capture_status": ["pending", "skipped"],
        "created_after": ["2026-01-02T00:00:00Z"],
        "created_before": ["2026-01-05T00:00:00Z"],
        "q": ["zebra", "-zebra"],
        "deleted": ["true", "false"],
    }
    query = {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.25}
    return query | {"sort": rng.choice(["", "-"]) + rng.choice(["created_at", "updated_at", "title"])}


def _expected(bookmarks: list[dict[str, Any]], query: dict[str, Any]) -> list[int]:
    deleted = query.get("deleted") == "true"
    archived = query.get("is_archived", "any" if deleted else "false")
    wanted = [
        bookmark
        for bookmark in bookmarks
        if (bookmark["deleted_at"] is not None) == deleted
        and (archived == "any" or bookmark["is_archived"] == (archived == "true"))
        and all(tag.casefold() in bookmark["tags"] for tag in query.get("tag", []))
        and ("untagged" not in query or (bookmark["tags"] == []) == (query["untagged"] == "true"))
        and ("domain" not in query or bookmark["domain"] == query["domain"])
        and ("is_read" not in query or bookmark["is_read"] == (query["is_read"] == "true"))
        and ("is_favorite" not in query or bookmark["is_favorite"] == (query["is_favorite"] == "true"))
        and ("capture_status" not in query or bookmark["capture"]["status"] == query["capture_status"])
        and ("created_after" not in query or bookmark["created_at"] > query["created_after"])
        and ("created_before" not in query or bookmark["created_at"] < query["created_before"])
        and ("q" not in query or (bookmark["notes"] == "zebra") == (query["q"] == "zebra"))
    ]
    name = query["sort"].lstrip("-")
    key = (lambda value: value.casefold()) if name == "title" else str
    wanted.sort(key=lambda bookmark: (key(bookmark[name]), bookmark["id"]), reverse=query["sort"].startswith("-"))
    return [bookmark["id"] for bookmark in wanted]


def test_filters_and_orders_combine(ada: Api, context: Flask) -> None:
    rng = random.Random(20260131)
    saved = ada.post("/bookmarks/bulk", {"items": _random_links(rng)}).json["results"]
    # Times in whole seconds, so that the text of one sorts as it does, with many equal ones.
    db.session.execute(
        text("UPDATE bookmarks SET updated_at = timestamptz '2026-02-01Z' + (id % 7) * interval '1 day'")
    )
    db.session.commit()
    trash = [result["id"] for result in saved if rng.random() < 0.2]
    ada.post("/bookmarks/actions", {"ids": trash, "action": "delete"})
    bookmarks = [
        item
        for deleted in ("true", "false")
        for item in ada.get("/bookmarks", deleted=deleted, is_archived="any", page_size=100).json["items"]
    ]
    assert len(bookmarks) == 60
    for _ in range(80):
        query = _random_query(rng)
        answer = ada.get("/bookmarks", page_size=100, **query).json
        assert [item["id"] for item in answer["items"]] == _expected(bookmarks, query), query
        assert answer["total"] == len(answer["items"])


def test_one_statement_serves_the_lists_of_all_people_and_moments(ada: Api, bob: Api) -> None:
    for person in (ada, bob):
        for name in ("first", "second"):
            person.save(f"https://example.org/{name}", title=f"{person.session['user']['username']}'s {name}")
    moments = [item["created_at"] for item in bob.get("/bookmarks", sort="created_at").json["items"]]
    assert ada.titles(sort="title", created_before="2100-01-01T00:00:00Z") == ["ada's first", "ada's second"]
    built = _columns_list.cache_info().misses
    assert bob.titles(sort="title", created_before="2100-01-01T00:00:00Z") == ["bob's first", "bob's second"]
    assert bob.titles(sort="title", created_before=moments[1]) == ["bob's first"]
    assert ada.titles(sort="title", created_before=moments[0], page_size=1) == ["ada's first"]
    assert _columns_list.cache_info().misses == built
