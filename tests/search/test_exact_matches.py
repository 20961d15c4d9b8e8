"""What a query names outright, by address or by title, comes first (R-SEARCH)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask

from backend.ai.service import embedding_fault
from tests.support.api import Api
from tests.support.pages import add_vector
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
NOTES = "garden tools " * 12


class OneMeaning:
    """Every query means the same."""

    model, dimension = "fake", 3

    def embed(self, texts: Sequence[str]) -> Any:
        return np.array([[1.0, 0.0, 0.0]] * len(texts), dtype=np.float32)


@pytest.fixture
def meanings(ada: Api, context: Flask) -> Iterator[None]:
    embedding_fault()  # Makes the slot.
    context.extensions["embeddings"].provider = OneMeaning()
    yield
    context.extensions["embeddings"].provider = None


def give_meanings(api: Api) -> None:
    """A vector for every bookmark: by meaning, what was saved later comes before, and what is named comes last."""
    items = api.get("/bookmarks", sort="created_at", page_size=100).json["items"]
    for place, item in enumerate(items):
        is_named = item["title"] in ("x", "Garden Tools", "Garden tools")
        add_vector(item["id"], [0.1 if is_named else place + 1.0, 10.0, 0.0])


def search(api: Api, q: str, mode: str = "text", **query: Any) -> dict[str, Any]:
    response = api.get("/search", q=q, mode=mode, page_size=100, **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    page: dict[str, Any] = response.json
    assert page["total"] == len(page["items"]) == len({item["bookmark"]["id"] for item in page["items"]})
    return page


def titles(api: Api, q: str, mode: str = "text", **query: Any) -> list[str]:
    return [item["bookmark"]["title"] for item in search(api, q, mode, **query)["items"]]


def fill(api: Api) -> None:
    """Notes that repeat the words of the titles that are asked for."""
    for place in range(12):
        api.save(f"https://notes.example.com/{place}", title=f"garden tools {'tools ' * place}", notes=NOTES)


@pytest.mark.parametrize("mode", ["text", "hybrid"])
def test_the_very_title_comes_first_and_then_titles_that_begin_so(ada: Api, meanings: None, mode: str) -> None:
    ada.save("https://example.org/1", title="Tools: garden", notes=NOTES)
    ada.save("https://example.org/2", title="Garden tools, and how to keep them from rust in a wet and windy country")
    ada.save("https://example.org/3", title="Garden Tools", description="words of other kinds " * 40)
    ada.save("https://example.org/4", title="Garden toolsmith")
    for place in range(12):
        ada.save(f"https://notes.example.com/{place}", title=f"No. {place}", notes=NOTES, tags=["garden", "tools"])
    give_meanings(ada)
    page = search(ada, "garden tools", mode)
    found = [item["bookmark"]["title"] for item in page["items"]]
    assert not page["degraded"]
    assert found[:2] == ["Garden Tools", "Garden tools, and how to keep them from rust in a wet and windy country"]
    # The beginning of a word is not the word.
    assert "Garden toolsmith" not in found[:3]
    assert "text" in page["items"][0]["matched"]
    assert page["items"][0]["score"] > 0


@pytest.mark.parametrize(
    ("title", "q"),
    [
        ("Garden tools", "  gARDEN   tools "),
        ("Café in the garden", "cafe\u0301 in the garden"),
        ("Cafe\u0301 in the garden", "café in the garden"),
        ('The "best" tools', 'The "best" tools'),
        ("garden (tools)", "garden (tools)"),
        ("garden - tools", "garden - tools"),
        ("C#9 garden tools", "C#9 garden tools"),
        ("#12 garden tools", "#12 garden tools"),
        ("The", "the"),
        ("???", "???"),
        ("庭の道具", "庭の道具"),
        ("garden tools " * 30, ("garden tools " * 30).strip()),
    ],
)
def test_a_title_is_known_in_whatever_form_it_is_typed(ada: Api, title: str, q: str) -> None:
    fill(ada)
    ada.save("https://notes.example.com/the", title="the", notes="the ??? 庭の道具 " * 5) if title != "The" else None
    saved = ada.save("https://example.org/1", title=title, description="many other words " * 40)
    assert search(ada, q)["items"][0]["bookmark"]["id"] == saved["id"]


def test_a_word_that_many_titles_begin_with_names_none_of_them(ada: Api) -> None:
    items = [{"url": f"https://example.org/{place}", "title": f"garden number {place}"} for place in range(120)]
    best = {"url": "https://example.org/best", "title": "a garden, garden", "tags": ["garden"]}
    assert ada.post("/bookmarks/bulk", {"items": [*items, best]}).json["created"] == 121
    assert ada.get("/search", q="garden", mode="text").json["items"][0]["bookmark"]["title"] == "a garden, garden"
    assert (
        ada.get("/search", q="garden number 7", mode="text").json["items"][0]["bookmark"]["title"] == "garden number 7"
    )


SAVED = "https://www.example.com/Garden/Tools_(all)/?b=2&a=1"
PASTED = [
    SAVED,
    "http://example.com/Garden/Tools_(all)?a=1&b=2",
    "www.example.com/Garden/Tools_(all)/?a=1&b=2",
    "example.com/Garden/Tools_(all)?b=2&a=1",
    "//example.com/Garden/Tools_(all)?b=2&a=1",
    "HTTPS://EXAMPLE.COM/Garden/Tools_(all)?b=2&a=1#top",
    "https://example.com/Garden/Tools_(all)?b=2&utm_source=x&a=1&fbclid=y",
    " <https://example.com/Garden/Tools_(all)/?a=1&b=2> ",
    '"https://example.com/Garden/Tools_(all)/?a=1&b=2"',
    "Look at this: https://example.com/Garden/Tools_(all)/?a=1&b=2",
]


@pytest.mark.parametrize("mode", ["text", "hybrid", "semantic"])
@pytest.mark.parametrize("pasted", PASTED)
def test_the_address_of_a_saved_link_finds_it_first(ada: Api, meanings: None, pasted: str, mode: str) -> None:
    saved = ada.save(SAVED, title="x", description="many other words " * 40)
    for place in range(4):
        ada.save(f"https://example.com/Garden/Tools_(all)/{place}", title="example.com Garden Tools (all)")
    ada.save("https://example.com/Garden/Tools_(all)", title=pasted.strip(), notes=f"{pasted} " * 3)
    give_meanings(ada)
    page = search(ada, pasted, mode)
    assert page["items"][0]["bookmark"]["id"] == saved["id"]
    assert "text" in page["items"][0]["matched"]
    assert page["degraded"] is False


@pytest.mark.parametrize(
    ("saved", "pasted"),
    [
        ("http://nas:80/films", "nas:80/films"),
        ("http://nas:5000/films", "nas:5000/films"),
        ("http://[fd00::1]:8080/x", "[fd00::1]:8080/x"),
        ("https://bücher.example/Straße", "bücher.example/Straße"),
        ("https://example.com/?q=(-garden)", "https://example.com/?q=(-garden)"),
        ('https://example.com/a"b"c', 'https://example.com/a"b"c'),
        ("https://example.com/(is:read)", "https://example.com/(is:read)"),
    ],
)
def test_addresses_of_all_kinds_are_known_though_operators_stand_in_them(ada: Api, saved: str, pasted: str) -> None:
    fill(ada)
    ada.save("https://other.example.net/garden", title=pasted, notes=f"{pasted} " * 3)
    found = ada.save(saved, title="x", description="many other words " * 40)
    assert search(ada, pasted)["items"][0]["bookmark"]["id"] == found["id"]


def test_filters_hold_for_what_is_named_and_the_trash_is_never_named(ada: Api, bob: Api) -> None:
    fill(ada)
    address = "https://example.com/garden-tools"
    saved = ada.save(address, title="Garden tools", tags=["t"], description="many other words " * 40)
    bob.save(address, title="Garden tools")
    for q in (address, "Garden tools"):
        first = [saved["id"]]
        assert [item["bookmark"]["id"] for item in search(ada, f"{q} tag:t")["items"]] == first
        assert [item["bookmark"]["id"] for item in search(ada, q, tag="t")["items"]] == first
        assert search(ada, f"{q} is:unread")["items"][0]["bookmark"]["id"] == first[0]
        for refused in ("is:read", "-tag:t", "-words", "site:example.net", '"no such phrase"'):
            found = [item["bookmark"]["id"] for item in search(ada, f"{q} {refused}")["items"]]
            assert first[0] not in found, refused
        assert first[0] not in [item["bookmark"]["id"] for item in search(ada, q, is_read="true")["items"]]
    ada.patch(f"/bookmarks/{saved['id']}", {"is_archived": True})
    assert saved["id"] not in [item["bookmark"]["id"] for item in search(ada, address)["items"]]
    assert search(ada, address, is_archived="any")["items"][0]["bookmark"]["id"] == saved["id"]
    ada.delete(f"/bookmarks/{saved['id']}")
    assert saved["id"] not in [item["bookmark"]["id"] for item in search(ada, address, is_archived="any")["items"]]


@pytest.mark.parametrize("mode", ["text", "hybrid", "semantic"])
def test_pages_of_what_is_named_follow_each_other_without_doubles(ada: Api, meanings: None, mode: str) -> None:
    fill(ada)
    ada.save("https://example.org/1", title="Garden tools", description="many other words " * 40)
    ada.save("https://example.org/2", title="Garden tools", description="many other words " * 60)
    ada.save("https://example.org/3", title="Garden tools for all")
    give_meanings(ada)
    for q in ("garden tools", "https://example.org/2 garden tools"):
        whole = [item["bookmark"]["id"] for item in search(ada, q, mode)["items"]]
        seen: list[int] = []
        more: dict[str, Any] = {}
        while more is not None:
            page = ada.get("/search", q=q, mode=mode, page_size=2, **more).json
            assert page["total"] == len(whole)
            seen += [item["bookmark"]["id"] for item in page["items"]]
            more = {"cursor": page["next_cursor"]} if page["next_cursor"] else None  # type: ignore[assignment]
        assert seen == whole


def test_what_is_named_takes_no_statement_more(ada: Api, meanings: None, sql: SqlCounter) -> None:
    fill(ada)
    give_meanings(ada)
    for mode, least in (("text", 6), ("hybrid", 11)):
        for q in ("garden words", "garden tools", "https://notes.example.com/1"):
            with sql.at_most(least):
                search(ada, q, mode)
    for q, most in (("garden tools", 9), ("https://notes.example.com/1", 11)):
        with sql.at_most(most):
            search(ada, q, "semantic")


def test_the_ranking_has_a_part_for_names_only_where_something_is_named(ada: Api, sql: SqlCounter) -> None:
    fill(ada)
    for q, is_named in (("garden tools", True), ("tools nowhere", False)):
        sql.clear()
        search(ada, q)
        (ranking,) = [one for one in sql.statements if "array_agg(" in one and "bookmark_documents" in one]
        assert ("named" in ranking) is is_named, q
