"""Facets of lists and searches."""

from __future__ import annotations

from typing import Any

import pytest

from backend.bookmarks.facets.queries import MOST_VALUES
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def facets(api: Api, path: str = "/bookmarks/facets", **query: Any) -> dict[str, dict[str, int]]:
    """The counts by facet and value, in their order."""
    response = api.get(path, **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    counted = {name: values for name, values in response.json["facets"].items() if values is not None}
    return {name: {item["value"]: item["count"] for item in values} for name, values in counted.items()}


@pytest.fixture
def collection(ada: Api) -> Api:
    """Three quokkas, one of them archived, and one in the trash."""
    ada.save("https://a.example/1", title="quokka one", tags=["sea", "Isle"], created_at="2024-12-31T23:30:00-01:00")
    ada.save("https://a.example/2", title="quokka two", tags=["sea"], is_read=True, is_favorite=True)
    ada.save("https://b.example/3", title="quokka three", is_archived=True)
    gone = ada.save("https://c.example/4", title="quokka four", tags=["gone"])
    ada.delete(f"/bookmarks/{gone['id']}")
    return ada


def test_a_list_counts_its_tags_sites_and_states(collection: Api) -> None:
    counted = facets(collection)
    assert counted["tags"] == {"sea": 2, "Isle": 1}
    assert list(counted["tags"]) == ["sea", "Isle"]
    assert counted["domain"] == {"a.example": 2}
    assert counted["state"] == {"favorite": 1, "read": 1, "unread": 1}
    assert counted["year"]["2025"] == 1
    assert counted["language"] == {}


def test_the_filters_of_the_list_narrow_them(collection: Api) -> None:
    assert facets(collection, tag="isle", facets="tags") == {"tags": {"Isle": 1, "sea": 1}}
    assert facets(collection, is_archived="any", facets=["domain", "state"]) == {
        "domain": {"a.example": 2, "b.example": 1},
        "state": {"unread": 2, "archived": 1, "favorite": 1, "read": 1, "untagged": 1},
    }
    assert facets(collection, deleted="true", facets="tags,domain") == {"tags": {"gone": 1}, "domain": {"c.example": 1}}
    assert facets(collection, q="quokka two", facets="tags") == {"tags": {"sea": 1}}


def test_a_search_counts_all_its_hits(collection: Api) -> None:
    query = {"q": "quokka", "mode": "text", "is_archived": "any", "page_size": 1}
    assert "facets" not in collection.get("/search", **query).json
    assert facets(collection, "/search", **query, facets="tags,domain") == {
        "tags": {"sea": 2, "Isle": 1},
        "domain": {"a.example": 2, "b.example": 1},
    }
    assert facets(collection, "/search", q="nothing", mode="text", facets="tags") == {"tags": {}}


def test_others_are_not_counted(collection: Api, bob: Api) -> None:
    assert facets(bob) == {"tags": {}, "domain": {}, "year": {}, "language": {}, "state": {}}


@pytest.mark.parametrize("path", ["/bookmarks/facets", "/search"])
def test_other_facets_are_refused(ada: Api, path: str) -> None:
    query = {"facets": "tags,colour"} | ({"q": "x"} if path == "/search" else {})
    assert list(field_errors(ada.get(path, **query))) == ["query.facets.1"]


def test_the_most_frequent_values_are_told(ada: Api, sql: SqlCounter) -> None:
    ada.save("https://example.org/1", tags=[f"tag {number:02}" for number in range(MOST_VALUES + 5)])
    ada.save("https://example.org/2", tags=["tag 34"])
    with sql.at_most(2):
        values = list(facets(ada)["tags"])
    assert values == ["tag 34", *(f"tag {number:02}" for number in range(MOST_VALUES - 1))]
