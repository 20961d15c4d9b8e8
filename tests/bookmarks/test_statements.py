"""How many SQL statements a request takes: few, and no more for more rows or tags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def fill(api: Api, number: int, tags: int) -> None:
    items = [
        {"url": f"https://example.org/{place}", "tags": [f"t{tag}" for tag in range(tags)], "capture": False}
        for place in range(number)
    ]
    assert api.post("/bookmarks/bulk", {"items": items}).status_code == 200


@pytest.mark.parametrize(("rows", "tags"), [(1, 0), (1, 20), (100, 0), (100, 20)])
def test_a_list_takes_two(ada: Api, sql: SqlCounter, rows: int, tags: int) -> None:
    """Who asks; which these are, and how many there are."""
    fill(ada, rows, tags)
    queries: list[dict[str, Any]] = [
        {"page_size": 100},
        {"sort": "title", "page_size": 100},
        {"tag": ["t1", "t2"], "untagged": "false", "q": "tag:t1 is:unread", "is_archived": "any"},
        {"deleted": "true"},
    ]
    for query in queries:
        with sql.at_most(2):
            assert ada.get("/bookmarks", **query).status_code == 200
    # With words, the languages whose stems they may have.
    with sql.at_most(3):
        assert ada.get("/bookmarks", q="example -other", page_size=100).status_code == 200
    cursor = ada.get("/bookmarks", page_size=1).json["next_cursor"]
    if cursor:
        with sql.at_most(2):
            assert ada.get("/bookmarks", cursor=cursor, page_size=50).status_code == 200


@pytest.mark.parametrize("tags", [0, 20])
def test_a_single_read_takes_two(ada: Api, sql: SqlCounter, tags: int) -> None:
    saved = ada.save("https://example.org/a", tags=[f"t{tag}" for tag in range(tags)])
    with sql.at_most(2):
        assert ada.get(f"/bookmarks/{saved['id']}").status_code == 200
    with sql.at_most(2):
        assert ada.get("/bookmarks/lookup", url="https://example.org/a").status_code == 200
    with sql.at_most(2):
        assert ada.get(f"/bookmarks/{saved['id']}/content").status_code == 404
    with sql.at_most(3):
        assert ada.get(f"/bookmarks/{saved['id']}/similar").status_code == 200


@pytest.mark.parametrize("tags", [0, 20])
def test_a_save_takes_eight_at_most_new_or_not(ada: Api, sql: SqlCounter, tags: int) -> None:
    body = {"url": "https://example.org/a", "title": "x", "tags": [f"t{tag}" for tag in range(tags)]}
    for status in (201, 200):
        with sql.at_most(8):
            assert ada.post("/bookmarks", body).status_code == status


@pytest.mark.parametrize("tags", [1, 20])
def test_a_change_takes_ten_at_most(ada: Api, sql: SqlCounter, tags: int) -> None:
    saved = ada.save("https://example.org/a", tags=["old"])
    body = {"url": "https://example.org/b", "title": "x", "tags": [f"t{tag}" for tag in range(tags)]}
    with sql.at_most(10):
        assert ada.patch(f"/bookmarks/{saved['id']}", body).status_code == 200


def test_trash_and_back_take_few(ada: Api, sql: SqlCounter) -> None:
    saved = ada.save("https://example.org/a", tags=["t"])
    with sql.at_most(2):
        assert ada.delete(f"/bookmarks/{saved['id']}").status_code == 204
    with sql.at_most(5):
        assert ada.post(f"/bookmarks/{saved['id']}/restore").status_code == 200


@pytest.mark.parametrize("rows", [1, 100])
def test_a_search_by_words_takes_six_at_most(ada: Api, sql: SqlCounter, rows: int) -> None:
    """Who asks, in which languages, what is known, how common the words are, the best, and the page with its tags."""
    fill(ada, rows, 5)
    for page_size in (1, 100):
        with sql.at_most(6):
            found = ada.get("/search", q="example other words", mode="text", page_size=page_size)
        assert found.json["total"] == rows
    # With a filter, which bookmarks it leaves.
    with sql.at_most(7):
        assert ada.get("/search", q="example tag:t1 -other", mode="text").json["total"] == rows


def test_jobs_take_three_for_a_list_and_two_for_one(ada: Api, sql: SqlCounter) -> None:
    for place in range(5):
        saved = ada.save(f"https://example.org/{place}")
        job = ada.post(f"/bookmarks/{saved['id']}/capture").json
    with sql.at_most(3):
        assert ada.get("/jobs").json["total"] == 5
    with sql.at_most(2):
        assert ada.get(f"/jobs/{job['id']}").status_code == 200
