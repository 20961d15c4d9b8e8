"""GET /search by meaning, and both ways fused (R-SEARCH)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask

from backend.actor import Actor
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embedding_fault, preload
from backend.bookmarks.schemas import BookmarkFilter
from backend.extensions import current_settings
from backend.search.service import find_related
from tests.support.api import Api
from tests.support.pages import add_vector
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
QUERY = [1.0, 0.0, 0.0]


class FakeEmbeddings:
    """Knows one direction; every query points there."""

    model, dimension = "fake", 3

    def __init__(self) -> None:
        self.broken = False
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.asked.extend(texts)
        if self.broken:
            raise EmbeddingsUnavailable("The endpoint is down.", retryable=True)
        return np.array([QUERY] * len(texts), dtype=np.float32)


@pytest.fixture
def embeddings(app: Flask) -> Iterator[FakeEmbeddings]:
    """A provider in the place of the process's own."""
    with app.app_context():
        embedding_fault()  # Makes the slot.
    slot = app.extensions["embeddings"]
    slot.provider = fake = FakeEmbeddings()
    yield fake
    slot.provider = None


def search(api: Api, q: str = "zebra", **query: Any) -> dict[str, Any]:
    response = api.get("/search", q=q, **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    page: dict[str, Any] = response.json
    return page


def ids(page: dict[str, Any]) -> list[int]:
    return [item["bookmark"]["id"] for item in page["items"]]


def save(api: Api, name: str, vector: Sequence[float] | None = None, **fields: Any) -> int:
    saved = api.save(f"https://example.org/{name}", title=name, **fields)
    if vector is not None:
        add_vector(saved["id"], vector)
    return int(saved["id"])


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_without_a_provider_words_answer_and_say_so(ada: Api, mode: str) -> None:
    found = save(ada, "zebra")
    page = search(ada, mode=mode)
    assert [page["mode"], page["degraded"], page["total"], ids(page)] == [mode, True, 1, [found]]
    assert page["items"][0]["matched"] == ["text"]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_with_a_broken_provider_too(ada: Api, embeddings: FakeEmbeddings, mode: str) -> None:
    found = save(ada, "zebra")
    embeddings.broken = True
    page = search(ada, mode=mode)
    assert [page["degraded"], ids(page)] == [True, [found]]


def test_words_alone_never_ask_the_provider(ada: Api, embeddings: FakeEmbeddings) -> None:
    save(ada, "zebra")
    embeddings.broken = True
    page = search(ada, mode="text")
    assert [page["degraded"], page["total"]] == [False, 1]


def test_meaning_ranks_by_cosine(ada: Api, bob: Api, embeddings: FakeEmbeddings, context: Flask) -> None:
    far, near, same = save(ada, "far", [0, 1, 0]), save(ada, "near", [0.9, 0.1, 0]), save(ada, "same", [2, 0, 0])
    save(ada, "no vector")
    add_vector(save(ada, "other model"), QUERY, model="another")
    save(bob, "foreign", QUERY)
    page = search(ada, mode="semantic")
    assert [page["degraded"], page["total"], ids(page)] == [False, 3, [same, near, far]]
    assert [item["matched"] for item in page["items"]] == [["semantic"]] * 3
    assert page["items"][0]["score"] == pytest.approx(1)
    assert page["items"][2]["score"] == pytest.approx(0, abs=1e-6)
    assert page["items"][0]["highlights"]["title"] == "same"


def test_what_is_related_to_a_text_is_found_by_words_and_by_meaning_and_is_no_search(
    ada: Api, bob: Api, embeddings: FakeEmbeddings, context: Flask
) -> None:
    meant, worded = save(ada, "meant", [0.9, 0.1, 0]), save(ada, 'a "zebra"', [0, 1, 0])
    save(bob, "zebra", QUERY)
    actor = Actor(ada.user_id, ada.organization_id, "editor")
    assert set(find_related(actor, 'tag:x "zebra -y OR', BookmarkFilter(), 5)) == {meant, worded}
    assert len(find_related(actor, "zebra", BookmarkFilter(), 1)) == 1
    embeddings.broken = True
    assert find_related(actor, "zebra crossing", BookmarkFilter(), 5) == [worded]
    assert not [item for item in ada.get("/search/suggest", q="").json["items"] if item["kind"] == "recent"]


def scores(page: dict[str, Any]) -> dict[int, float]:
    return {item["bookmark"]["id"]: item["score"] for item in page["items"]}


def test_hybrid_fuses_the_scores_of_both(ada: Api, embeddings: FakeEmbeddings, context: Flask) -> None:
    for place in range(12):
        vector = [1.0, place / 4, 0.0] if place % 3 else None
        save(ada, f"b{place}", vector, notes="zebra " * (place % 5 + 1) if place % 2 else "")
    by_words, by_meaning = (ids(search(ada, mode=mode, page_size=100)) for mode in ("text", "semantic"))
    words, meaning = (scores(search(ada, mode=mode, page_size=100)) for mode in ("text", "semantic"))
    highest = max(words.values())
    expected = {
        id_: 0.35 * words.get(id_, 0) / highest + 0.65 * meaning.get(id_, 0) for id_ in words.keys() | meaning.keys()
    }
    page = search(ada, page_size=100)
    assert [page["mode"], page["degraded"], page["total"]] == ["hybrid", False, len(expected)]
    assert ids(page) == sorted(expected, key=lambda id_: (-round(expected[id_], 4), -id_))
    for item in page["items"]:
        id_ = item["bookmark"]["id"]
        assert item["score"] == pytest.approx(expected[id_], abs=1e-3)
        assert item["matched"] == [
            name for name, ranked in (("text", by_words), ("semantic", by_meaning)) if id_ in ranked
        ]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_pages_follow_each_other(ada: Api, embeddings: FakeEmbeddings, context: Flask, mode: str) -> None:
    for place in range(14):
        save(ada, f"b{place}", [1.0, place / 10, 0.0], notes="zebra" if place % 2 else "")
    whole = ids(search(ada, mode=mode, page_size=100))
    pages = [search(ada, mode=mode, page=number, page_size=5) for number in (1, 2, 3, 4)]
    assert [id_ for page in pages for id_ in ids(page)] == whole
    assert [page["total"] for page in pages] == [14] * 4
    assert [page["has_next"] for page in pages] == [True, True, False, False]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_filters_apply_to_meaning_too(ada: Api, embeddings: FakeEmbeddings, context: Flask, mode: str) -> None:
    tagged, archived = save(ada, "tagged", QUERY, tags=["t"]), save(ada, "archived", QUERY, is_archived=True)
    trashed = save(ada, "trashed", QUERY)
    ada.delete(f"/bookmarks/{trashed}")
    assert ids(search(ada, mode=mode)) == [tagged]
    assert ids(search(ada, mode=mode, tag="t")) == [tagged]
    assert ids(search(ada, mode=mode, tag="u")) == []
    assert ids(search(ada, mode=mode, is_archived="true")) == [archived]
    assert ids(search(ada, mode=mode, deleted="true")) == [trashed]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_while_many_wait_for_a_vector_the_answer_says_so(
    ada: Api, embeddings: FakeEmbeddings, context: Flask, mode: str
) -> None:
    has_vector = save(ada, "first", QUERY)
    for place in range(11):
        save(ada, f"b{place}")
    page = search(ada, mode=mode)
    assert [page["degraded"], ids(page)] == [True, [has_vector]]
    assert search(ada, mode="text")["degraded"] is False


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_while_all_wait_for_a_vector_words_answer(
    ada: Api, embeddings: FakeEmbeddings, context: Flask, mode: str
) -> None:
    found = save(ada, "zebra")
    for place in range(11):
        save(ada, f"b{place}")
    page = search(ada, mode=mode)
    assert [page["degraded"], ids(page), page["items"][0]["matched"]] == [True, [found], ["text"]]


def test_the_same_question_is_embedded_once(ada: Api, embeddings: FakeEmbeddings) -> None:
    for q in ("zebra", "zebra", "gnu", "zebra"):
        search(ada, q)
    assert embeddings.asked == ["zebra", "gnu"]


def test_a_search_by_meaning_takes_six_statements(
    ada: Api, embeddings: FakeEmbeddings, context: Flask, sql: SqlCounter
) -> None:
    """Who asks, in which languages, how many there are, the nearest, who waits, and the page."""
    save(ada, "zebra", QUERY)
    with sql.at_most(6):
        assert search(ada, mode="semantic")["total"] == 1


@pytest.mark.parametrize(("provider", "asked"), [("local", ["warm-up"]), ("openai", []), ("none", [])])
def test_a_model_on_this_machine_is_loaded_before_anybody_asks(
    embeddings: FakeEmbeddings, context: Flask, monkeypatch: pytest.MonkeyPatch, provider: str, asked: list[str]
) -> None:
    monkeypatch.setattr(current_settings(), "EMBEDDING_PROVIDER", provider)
    preload(context)
    assert embeddings.asked == asked
