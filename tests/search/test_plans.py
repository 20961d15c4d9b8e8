"""No search reads a whole table, whether or not PostgreSQL has counted its rows (R-SEARCH, R-DB 1)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.embeddings.provider import Vectors
from backend.ai.service import embedding_fault
from backend.bookmarks.jobs import refresh_changed_statistics
from backend.extensions import db
from backend.index import nearest
from tests.support.api import Api
from tests.support.pages import add_page
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db]
DIMENSION = 384
TABLES = (
    "bookmarks",
    "bookmark_contents",
    "bookmark_documents",
    "bookmark_embeddings",
    "bookmark_tags",
    "search_terms",
)
LETTERS = "bcdfghjklmnpqrtvwxz"
PAGES = text("""
    INSERT INTO bookmark_contents (bookmark_id, text, html, word_count, vector) SELECT id, 'x', '', 1, '' FROM bookmarks
""")
VECTORS = text("""
    INSERT INTO bookmark_embeddings (bookmark_id, organization_id, model, dimension, embedding)
    SELECT b.id, b.organization_id, 'fake', :dimension, CAST(given.vector AS halfvec)
      FROM (SELECT id, organization_id, row_number() OVER (ORDER BY id) AS place FROM bookmarks) AS b
      JOIN unnest(CAST(:vectors AS text[])) WITH ORDINALITY AS given(vector, place)
        ON given.place = 1 + b.place % cardinality(CAST(:vectors AS text[]))
""")


class Directions:
    """Every text means something by chance, and always the same."""

    model, dimension = "fake", DIMENSION

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([unit_vector(len(text)) for text in texts], np.float32)


def unit_vector(seed: int) -> Any:
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def words() -> list[str]:
    """Words by how common they are, the most common first."""
    chance = random.Random(12)
    return ["".join(chance.choices(LETTERS, k=6)) for _ in range(3_000)]


@pytest.fixture
def library(ada: Api, bob: Api, words: list[str], context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Nine thousand bookmarks of Ada's beside two thousand of Bob's, with vectors, whose index is worth its while."""
    chance = random.Random(6)
    weights = [1 / (rank + 1) for rank in range(len(words))]
    for api, number in ((ada, 9_000), (bob, 2_000)):
        for start in range(0, number, 1_000):
            items = [
                {
                    "url": f"https://{words[place % 500]}.example.org/{place}",
                    "title": " ".join(chance.choices(words, weights, k=12)),
                    "tags": ["every", words[place % len(words)]],
                    "capture": False,
                }
                for place in range(start, start + 1_000)
            ]
            assert api.post("/bookmarks/bulk", {"items": items}).json["created"] == 1_000
    ada.save("https://docs.example.com/t", title=words[0], tags=["one"])
    db.session.execute(PAGES)
    vectors = [str(unit_vector(seed).round(4).tolist()) for seed in range(2_000)]
    db.session.execute(VECTORS, {"dimension": DIMENSION, "vectors": vectors})
    db.session.commit()
    # Until PostgreSQL has counted the rows, a join of thousands may take longer than a person waits.
    monkeypatch.setattr(context.extensions["settings"], "DATABASE_READ_TIMEOUT_MS", 15_000)
    monkeypatch.setattr(nearest, "EXACT_BOUND", 1_000)
    monkeypatch.setattr(nearest, "MAX_EXACT_BOUND", 1_000)
    embedding_fault()  # Makes the slot.
    context.extensions["embeddings"].provider = Directions()
    yield ada
    context.extensions["embeddings"].provider = None


def assert_nothing_is_read_whole(library: Api, words: list[str], sql: SqlCounter, page_size: int) -> None:
    queries = [
        words[0],
        " ".join(words[:3]),
        " ".join(words[:5]),
        f"{words[0]} {words[2_000]}",
        f"{words[1_500]} {words[2_500]}",
        f'"{words[0]} {words[1]}"',
        f"{words[0]} -{words[1]}",
        f"{words[0]} tag:one",
        f"{words[0]} tag:every",
        f"{words[0]} is:read",
        f"{words[0]} is:unread",
        f"{words[0]} site:example.com",
        f"{words[0]} after:2020-01-01",
        f"{words[3]} OR tag:one",
        "tag:one",
        f"site:{words[1]}.example.org",
    ]
    for mode in ("text", "hybrid", "semantic"):
        for q in queries:
            sql.clear()
            answer = library.get("/search", q=q, mode=mode)
            assert (answer.status_code, answer.json["degraded"]) == (200, False)
            assert_plans(sql, (mode, q), at_least=2)
    for q in queries:
        sql.clear()
        # Of another size than before, so that no kept answer is given.
        assert library.get("/bookmarks", q=q, page_size=page_size).status_code == 200
        assert_plans(sql, ("list", q), at_least=1)


def assert_plans(sql: SqlCounter, asked: object, at_least: int) -> None:
    plans = sql.plans()
    assert len(plans) >= at_least
    for plan in plans:
        assert not [table for table in TABLES if f"Seq Scan on {table}" in plan], (asked, plan)


def test_no_search_reads_a_whole_table(library: Api, words: list[str], sql: SqlCounter) -> None:
    # As it is right after an import: nothing counted by the worker, nor by PostgreSQL.
    assert_nothing_is_read_whole(library, words, sql, 20)
    refresh_changed_statistics()
    db.session.execute(text(f"ANALYZE {', '.join(TABLES)}"))
    db.session.commit()
    assert_nothing_is_read_whole(library, words, sql, 21)
    newest = library.get("/bookmarks", page_size=1).json["items"][0]["id"]
    sql.clear()
    assert len(library.get(f"/bookmarks/{newest}/similar").json["items"]) == 10
    # Beside it, what there is to compare is counted up to a bound, in whatever order it lies.
    assert any("Index Scan using ix_bookmark_embeddings_nearest_384" in plan for plan in sql.plans())


@pytest.mark.parametrize("path", ["/search", "/bookmarks"])
def test_long_documents_are_looked_up_by_the_index_alone(ada: Api, context: Flask, sql: SqlCounter, path: str) -> None:
    """Of a table of long documents PostgreSQL sees few pages: most lies out of line."""
    chance = random.Random(1)
    for number in range(300):
        page = " ".join("".join(chance.choices(LETTERS, k=7)) for _ in range(1_000))
        saved = ada.save(f"https://example.org/{number}", title="zebra walrus")
        add_page(saved["id"], page)
    db.session.execute(text("ANALYZE bookmark_documents"))
    db.session.commit()
    for q in ("zebra walrus", "zebra -walrus", "site:example.org", "zebra site:example.org"):
        sql.clear()
        assert ada.get(path, q=q).status_code == 200
        plans = [plan for plan in sql.plans() if "bookmark_documents" in plan]
        assert plans
        assert not [plan for plan in plans if "Seq Scan on bookmark_documents" in plan], q
