"""Pages and cursors of every list (R-LIST 1–3)."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.jobs.models import Job
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ENVELOPE = {"items", "total", "page", "page_size", "total_pages", "has_next", "has_prev", "next_cursor"}
LISTS = [
    *[("/bookmarks", f"{sign}{name}") for name in ("created_at", "updated_at", "title") for sign in ("", "-")],
    *[("/tags", "name"), ("/tags", "-name"), ("/jobs", "created_at"), ("/jobs", "-created_at")],
]
NUMBER = 23
UUID = "00000000-0000-4000-8000-000000000000"


def fill(api: Api) -> None:
    """23 bookmarks, tags and jobs, with many equal times and titles."""
    titles = ["same", "Same", "SAME", "", "é", "\U0010ffff", '"quoted\\', "x" * 300]
    items = [
        {
            "url": f"https://example.org/{place}",
            "title": titles[place % len(titles)],
            "tags": [f"{titles[place % 3]}{place}"],
            "created_at": f"2026-01-0{1 + place % 3}T00:00:00.{place % 2:06}Z",
            "capture": False,
        }
        for place in range(NUMBER)
    ]
    assert api.post("/bookmarks/bulk", {"items": items}).json["created"] == NUMBER
    db.session.execute(text("UPDATE bookmarks SET updated_at = timestamptz '2026-01-01Z' + (id % 3) * interval '1 us'"))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for place in range(NUMBER):
        created_at = start + timedelta(microseconds=place % 4)
        db.session.add(Job(organization_id=api.organization_id, kind="capture", created_at=created_at))
    db.session.commit()


def get(api: Api, path: str, **query: Any) -> dict[str, Any]:
    response = api.get(path, **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    page: dict[str, Any] = response.json
    assert set(page) >= ENVELOPE
    return page


def ids(page: dict[str, Any]) -> list[Any]:
    return [item["id"] for item in page["items"]]


def walk(api: Api, path: str, between: Callable[[int], None] = lambda page: None, **query: Any) -> list[list[Any]]:
    """The ids on each page, by cursor to the end; `between` runs after each page."""
    pages = []
    page = get(api, path, **query)
    while True:
        pages.append(ids(page))
        between(len(pages))
        if page["next_cursor"] is None:
            return pages
        page = get(api, path, cursor=page["next_cursor"], **query)


@pytest.mark.parametrize(("path", "sort"), LISTS)
def test_cursors_show_what_page_numbers_show(ada: Api, bob: Api, context: Flask, path: str, sort: str) -> None:
    fill(ada)
    fill(bob)
    whole = ids(get(ada, path, sort=sort, page_size=100))
    assert len(whole) == len(set(whole)) == NUMBER
    for size in (5, 23):
        numbered = [
            ids(get(ada, path, sort=sort, page=page, page_size=size)) for page in range(1, -(-NUMBER // size) + 1)
        ]
        assert walk(ada, path, sort=sort, page_size=size) == numbered
        assert [id_ for page in numbered for id_ in page] == whole
    opposite = sort[1:] if sort.startswith("-") else f"-{sort}"
    assert ids(get(ada, path, sort=opposite, page_size=100)) == whole[::-1]


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/jobs"])
@pytest.mark.parametrize("by_cursor", [False, True])
def test_every_page_says_where_it_stands(ada: Api, context: Flask, path: str, by_cursor: bool) -> None:
    fill(ada)
    page = get(ada, path, page_size=10)
    for number, length in enumerate([10, 10, 3], start=1):
        assert len(page["items"]) == length
        last = number == 3
        expected = {"total": 23, "page": number, "page_size": 10, "total_pages": 3, "has_next": not last}
        assert {name: page[name] for name in expected} == expected
        assert page["has_prev"] == (number > 1)
        assert (page["next_cursor"] is None) == last
        if not last:
            step = {"cursor": page["next_cursor"]} if by_cursor else {"page": number + 1}
            page = get(ada, path, page_size=10, **step)


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/jobs", "/search"])
def test_an_empty_list_and_what_lies_past_the_end_are_200(ada: Api, context: Flask, path: str) -> None:
    more = {"q": "example", "mode": "text"} if path == "/search" else {}
    empty = get(ada, path, **more)
    assert [empty["items"], empty["total"], empty["total_pages"], empty["has_next"]] == [[], 0, 0, False]
    assert [empty["has_prev"], empty["next_cursor"], empty["page"], empty["page_size"]] == [False, None, 1, 20]
    fill(ada)
    total = get(ada, path, **more)["total"]
    assert total > 0
    for number in (total + 1, 10**6, 10**12):
        beyond = get(ada, path, page=number, page_size=1, **more)
        assert [beyond["items"], beyond["total"], beyond["page"]] == [[], total, number]
        assert [beyond["has_next"], beyond["has_prev"], beyond["next_cursor"]] == [False, True, None]


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/jobs", "/search"])
def test_pages_have_bounds(ada: Api, path: str) -> None:
    more = {"q": "x"} if path == "/search" else {}
    assert get(ada, path, page_size=1, **more)["page_size"] == 1
    assert get(ada, path, page_size=100, **more)["page_size"] == 100
    for name, values in {
        "page": ["0", "-1", "x", "", "1.0", "1e3", "+1", " 1", "٣", "10000000000001", "9" * 30, "null"],
        "page_size": ["0", "101", "-20", "x", "", "20.0", "1_0", "9" * 30],
    }.items():
        for value in values:
            assert set(field_errors(ada.get(path, **{name: value}, **more))) == {f"query.{name}"}, (name, value)
    assert field_errors(ada.get(path, page=["1", "2"], **more)) == {"query.page": "repeated"}


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title", "updated_at", "-updated_at"])
def test_cursors_stay_in_place_while_rows_come_and_go(ada: Api, context: Flask, sort: str) -> None:
    """What was there all along is seen once, in order, whatever is added and deleted meanwhile."""
    fill(ada)
    before = ids(get(ada, "/bookmarks", sort=sort, page_size=100))
    rng = random.Random(7)
    seen: list[int] = []
    deleted: set[int] = set()

    def disturb(page: int) -> None:
        for place in range(3):
            ada.save(
                f"https://example.com/{page}/{place}",
                title=rng.choice(["", "same", "zzz"]),
                created_at=f"2026-01-0{rng.randrange(1, 5)}T00:00:00Z",
            )
        # The very row that the cursor names, one that was seen, and one that is still to come.
        for place in (page * 5 - 1, page * 5 - 3, page * 5 + 2):
            if place < len(before):
                assert ada.delete(f"/bookmarks/{before[place]}", permanent="true").status_code in (204, 404)
                deleted.add(before[place])

    for page in walk(ada, "/bookmarks", disturb, sort=sort, page_size=5):
        seen.extend(page)
    assert len(seen) == len(set(seen))
    stayed = [id_ for id_ in before if id_ not in deleted]
    assert [id_ for id_ in seen if id_ in set(stayed)] == stayed


def test_tag_cursors_stay_in_place_while_tags_come_and_go(ada: Api) -> None:
    ada.save("https://example.org/", tags=[f"{letter}{number}" for letter in "abc" for number in range(5)])
    first = get(ada, "/tags", page_size=5)
    ada.save("https://example.com/", tags=["a00", "b00", "zz"])
    ada.delete(f"/tags/{first['items'][-1]['id']}")
    second = get(ada, "/tags", page_size=5, cursor=first["next_cursor"])
    assert [item["name"] for item in second["items"]] == ["b0", "b00", "b1", "b2", "b3"]
    assert second["total"] == 17


def test_a_cursor_keeps_to_the_filters_and_the_page_size_may_change(ada: Api, context: Flask) -> None:
    fill(ada)
    wanted = [id_ for page in walk(ada, "/bookmarks", sort="title", is_read="false", page_size=100) for id_ in page]
    first = get(ada, "/bookmarks", sort="title", is_read="false", page_size=4)
    rest = get(ada, "/bookmarks", sort="title", is_read="false", page_size=100, cursor=first["next_cursor"])
    assert ids(first) + ids(rest) == wanted


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/jobs"])
def test_a_cursor_of_another_list_or_order_is_422(ada: Api, context: Flask, path: str) -> None:
    fill(ada)
    cursors = {(of, sort): get(ada, of, sort=sort, page_size=2)["next_cursor"] for of, sort in LISTS}
    own = {sort for of, sort in LISTS if of == path}
    for sort in own:
        for (of, other), cursor in cursors.items():
            if other != sort:
                answer = ada.get(path, sort=sort, cursor=cursor)
                assert field_errors(answer) == {"query.cursor": "cursor"}, (of, other, sort)


def forge(content: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


TIME = "2026-01-02T00:00:00Z"
FORGED = [
    "x",
    "%",
    "é",
    "====",
    "a" * 2000,
    forge(None),
    forge(5),
    forge([]),
    forge({}),
    forge("-created_at"),
    *[
        forge([sort, value, id_, page])
        for sort in ("-created_at", "name")
        for value, id_, page in [
            (None, 5, 2),
            (True, 5, 2),
            (5, 5, 2),
            (5.5, 5, 2),
            ([], 5, 2),
            ("x", 5, 2),
            ("\x00", 5, 2),
            ("x" * 500, UUID, 2),
            ("0001-01-01T00:00:00+23:59", 5, 2),
            ("0001-01-01T00:00:00+23:59", UUID, 2),
            ("9999-12-31T23:59:59-23:59", 5, 2),
            ("9999-12-31T23:59:59-23:59", UUID, 2),
            ("2026-01-01", 5, 2),
            ("2026-01-01", UUID, 2),
            (TIME, None, 2),
            (TIME, True, 2),
            (TIME, 5, 2),
            (TIME, -5, 2),
            (TIME, 2**63 - 1, 2),
            (TIME, 2**63, 2),
            (TIME, 1.5, 2),
            (TIME, "5", 2),
            (TIME, "x", 2),
            (TIME, UUID, 2),
            (TIME, [5], 2),
            (TIME, 5, 1),
            (TIME, 5, -1),
            (TIME, 5, True),
            (TIME, 5, "2"),
            (TIME, 5, 2**60),
        ]
    ],
]


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/jobs"])
def test_a_made_up_cursor_is_a_place_in_the_list_or_422(ada: Api, context: Flask, path: str) -> None:
    fill(ada)
    for cursor in FORGED:
        answer = ada.get(path, cursor=cursor)
        assert answer.status_code in (200, 422), cursor
        if answer.status_code == 422:
            assert set(field_errors(answer)) == {"query.cursor"}
    assert field_errors(ada.get(path, cursor=FORGED[0])) == {"query.cursor": "cursor"}
    assert field_errors(ada.get(path, cursor=["a", "b"])) == {"query.cursor": "repeated"}


def test_search_pages_have_no_cursor(ada: Api) -> None:
    assert set(field_errors(ada.get("/search", q="x", cursor="x"))) == {"query.cursor"}
    assert set(field_errors(ada.get("/search", q="x", sort="title"))) == {"query.sort"}
