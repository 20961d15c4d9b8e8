"""Nearest neighbours: exact where they are few, by the index where they are many, and right in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, event, text

from backend.actor import Actor
from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.index import nearest
from backend.index.embedding_rebuild import ensure_index
from backend.index.nearest import Ranked, lacks_vectors, largest_model, rank_by_similarity
from tests.support.api import Api
from tests.support.pages import add_vector
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]

DIMENSION = 384
ROWS = 3_000
ADD = text("""
    WITH made AS (
        INSERT INTO bookmarks (organization_id, url, url_hash, domain, title, capture_status, is_read)
        SELECT o, 'https://example.org/' || n, decode(md5(n::text), 'hex'), 'example.org', 't' || n, 'captured',
               n % 40 = 0
          FROM unnest(CAST(:places AS bigint[]), CAST(:organizations AS bigint[])) AS given(n, o)
        RETURNING id, organization_id, url)
    INSERT INTO bookmark_embeddings (bookmark_id, organization_id, model, dimension, embedding)
    SELECT made.id, made.organization_id, 'fake', :dimension, CAST(given.vector AS halfvec)
      FROM made JOIN unnest(CAST(:places AS bigint[]), CAST(:vectors AS text[])) AS given(n, vector)
        ON made.url = 'https://example.org/' || given.n
    RETURNING bookmark_id, (SELECT url FROM made WHERE made.id = bookmark_id) AS url
""")


def clustered(count: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors around fifty centres, the same for every seed: texts have topics too."""
    centres = np.random.default_rng(0).normal(size=(50, dimension))
    random = np.random.default_rng(seed)
    vectors = centres[random.integers(0, 50, count)] + random.normal(scale=0.8, size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class Collection:
    """Bookmarks with vectors, in several organizations of one table."""

    def __init__(self, vectors: NDArray[np.float32], organizations: Sequence[int]) -> None:
        self.organizations = np.array(organizations)
        written = [str(vector.tolist()) for vector in vectors]
        rows = db.session.execute(
            ADD,
            {
                "places": list(range(len(vectors))),
                "organizations": [int(one) for one in organizations],
                "vectors": written,
                "dimension": vectors.shape[1],
            },
        )
        by_place = {int(row.url.rpartition("/")[2]): row.bookmark_id for row in rows}
        db.session.commit()
        self.ids = np.array([by_place[place] for place in range(len(vectors))])
        self.vectors = vectors.astype(np.float16).astype(np.float32)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE bookmarks, bookmark_embeddings"))

    def nearest(self, query: NDArray[np.float32], organization: int, limit: int) -> list[int]:
        """The truth, computed here."""
        own = self.organizations == organization
        order = np.argsort(-(self.vectors[own] @ query), kind="stable")
        return [int(id_) for id_ in self.ids[own][order[:limit]]]

    def scores(self, query: NDArray[np.float32], ranked: Ranked) -> list[float]:
        """The similarities that the bookmarks have in truth."""
        place = {id_: place for place, id_ in enumerate(self.ids.tolist())}
        return [float(self.vectors[place[id_]] @ query) for id_, _ in ranked]


@pytest.fixture
def collection(ada: Api, bob: Api, person, context: Flask) -> Collection:
    """77 % of the vectors are Ada's, 20 % Bob's, 3 % Eve's; organizations have the topics in common."""
    organizations = [ada.organization_id, bob.organization_id, person("eve").organization_id]
    drawn = np.random.default_rng(2).choice(organizations, size=ROWS, p=[0.77, 0.2, 0.03])
    return Collection(clustered(ROWS, DIMENSION, seed=1), drawn)


@pytest.fixture
def plans(app: Flask) -> Iterator[list[str]]:
    """Every plan of a ranking statement, as it was when the statement ran."""
    found: list[str] = []

    def explain(connection, cursor, statement, parameters, *_):
        if statement.lstrip().startswith(("SELECT", "WITH")) and "bookmark" in statement:
            with connection.connection.cursor() as other:
                other.execute("EXPLAIN " + statement, parameters)
                found.append("\n".join(line for (line,) in other.fetchall()))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def actor_of(api: Api, organization_id: int | None = None) -> Actor:
    return Actor(user_id=api.user_id, organization_id=organization_id or api.organization_id, role="owner")


def live() -> tuple[ColumnElement[bool], ...]:
    return Bookmark.deleted_at.is_(None), Bookmark.is_archived.is_(False)


def ids(ranked: Ranked) -> list[int]:
    return [id_ for id_, _ in ranked]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the index worth its while from 50 vectors on."""
    monkeypatch.setattr(nearest, "EXACT_BOUND", 50)
    monkeypatch.setattr(nearest, "MAX_EXACT_BOUND", 50)


@pytest.mark.parametrize("owner", [0, 1, 2], ids=["77 percent", "20 percent", "3 percent"])
def test_the_index_finds_nearly_all_whatever_the_share_of_the_table(
    collection: Collection, ada: Api, few: None, plans: list[str], owner: int
) -> None:
    organization = sorted(set(collection.organizations.tolist()))[owner]
    queries = clustered(40, DIMENSION, seed=3)
    hits = []
    for query in queries:
        found = ids(rank_by_similarity(actor_of(ada, organization), query, "fake", live(), 50))
        assert len(found) == 50
        hits.append(len(set(found[:10]) & set(collection.nearest(query, organization, 10))) / 10)
    assert np.mean(hits) >= 0.95
    assert any("ix_bookmark_embeddings_nearest_384" in plan for plan in plans)


def test_a_large_organization_is_searched_without_reading_its_tables(
    collection: Collection, ada: Api, few: None, plans: list[str], sql: SqlCounter
) -> None:
    query = clustered(1, DIMENSION, seed=4)[0]
    # Tables of some thousand rows are read whole sooner than those of many more.
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plans.clear()
    with sql.at_most(2):
        found = rank_by_similarity(actor_of(ada), query, "fake", live(), 100)
    assert len(found) == 100
    assert found == sorted(found, key=lambda one: (-one[1], -one[0]))
    assert len(plans) == 2
    assert "Index Scan using ix_bookmark_embeddings_nearest_384" in plans[1]
    assert "Sort" not in plans[1]
    for plan in plans:
        assert "Seq Scan on bookmark" not in plan


def test_a_small_organization_is_searched_exactly(
    collection: Collection, bob: Api, plans: list[str], sql: SqlCounter
) -> None:
    for query in clustered(10, DIMENSION, seed=5):
        with sql.at_most(2):
            found = rank_by_similarity(actor_of(bob), query, "fake", live(), 100)
        best = [(id_, 0.0) for id_ in collection.nearest(query, bob.organization_id, 100)]
        # By the similarities, since half precision swaps some that are all but equal.
        assert collection.scores(query, found) == pytest.approx(collection.scores(query, best), abs=1e-3)
        assert [score for _, score in found] == pytest.approx(collection.scores(query, found), abs=1e-3)
    assert not any("nearest" in plan and "Index Scan using ix_bookmark_embeddings_nearest" in plan for plan in plans)


def test_strict_filters_make_the_search_exact(collection: Collection, ada: Api, few: None) -> None:
    read = set(
        db.session.scalars(
            text("SELECT id FROM bookmarks WHERE is_read AND organization_id = :o"), {"o": ada.organization_id}
        )
    )
    query = clustered(1, DIMENSION, seed=6)[0]
    found = ids(rank_by_similarity(actor_of(ada), query, "fake", (Bookmark.is_read.is_(True),), 100))
    assert found == [id_ for id_ in collection.nearest(query, ada.organization_id, ROWS) if id_ in read][:100]


def test_where_the_index_finds_too_few_the_exact_scan_takes_over(
    collection: Collection, ada: Api, few: None, monkeypatch: pytest.MonkeyPatch, sql: SqlCounter
) -> None:
    monkeypatch.setattr(nearest, "SETTINGS", (("hnsw.iterative_scan", "off"),))
    monkeypatch.setattr(nearest, "LEAST_EF", 5)
    monkeypatch.setattr(nearest, "MOST_EF", 5)
    query = clustered(1, DIMENSION, seed=7)[0]
    with sql.at_most(3):
        found = ids(rank_by_similarity(actor_of(ada), query, "fake", live(), 100))
    assert found == collection.nearest(query, ada.organization_id, 100)


def test_the_settings_of_the_index_end_with_the_transaction(collection: Collection, ada: Api, few: None) -> None:
    rank_by_similarity(actor_of(ada), clustered(1, DIMENSION, seed=8)[0], "fake", live(), 10)
    assert db.session.scalar(text("SHOW hnsw.iterative_scan")) == "relaxed_order"
    db.session.commit()
    assert db.session.scalar(text("SHOW hnsw.iterative_scan")) == "off"


def test_equals_come_newest_first(ada: Api, context: Flask) -> None:
    saved = [ada.save(f"https://example.org/{place}")["id"] for place in range(3)]
    for id_ in saved:
        add_vector(id_, [1, 0, 0])
    assert ids(rank_by_similarity(actor_of(ada), [1, 0, 0], "fake", live(), 2)) == saved[:0:-1]


def test_another_dimension_has_an_index_of_its_own(ada: Api, context: Flask, few: None, plans: list[str]) -> None:
    collection = Collection(clustered(400, 8, seed=9), [ada.organization_id] * 400)
    query = clustered(1, 8, seed=10)[0]
    exact = ids(rank_by_similarity(actor_of(ada), query, "fake", live(), 20))
    assert exact == collection.nearest(query, ada.organization_id, 20)
    assert "Index Scan using ix_bookmark_embeddings_nearest_8" not in "".join(plans)
    assert ensure_index(8)
    assert ensure_index(8)
    plans.clear()
    try:
        found = ids(rank_by_similarity(actor_of(ada), query, "fake", live(), 20))
        assert len(set(found) & set(exact)) >= 19
        assert "ix_bookmark_embeddings_nearest_8" in plans[1]
    finally:
        db.session.execute(text("DROP INDEX ix_bookmark_embeddings_nearest_8"))
        db.session.commit()


def test_a_broken_index_is_not_used_and_is_built_again(ada: Api, context: Flask, few: None, plans: list[str]) -> None:
    Collection(clustered(100, 7, seed=11), [ada.organization_id] * 100)
    assert ensure_index(7)
    spoil = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_bookmark_embeddings_nearest_7'::regclass"
    db.session.execute(text(spoil))
    db.session.commit()
    query = clustered(1, 7, seed=12)[0]
    plans.clear()
    assert len(rank_by_similarity(actor_of(ada), query, "fake", live(), 20)) == 20
    assert "Index Scan using ix_bookmark_embeddings_nearest_7" not in "".join(plans)
    assert ensure_index(7)
    plans.clear()
    try:
        rank_by_similarity(actor_of(ada), query, "fake", live(), 20)
        assert "Index Scan using ix_bookmark_embeddings_nearest_7" in plans[1]
    finally:
        db.session.execute(text("DROP INDEX ix_bookmark_embeddings_nearest_7"))
        db.session.commit()


def test_dimensions_beyond_the_index_are_compared_one_by_one(context: Flask) -> None:
    assert not ensure_index(4_001)


def test_vectors_of_another_length_under_the_same_name_are_passed_over(ada: Api, context: Flask) -> None:
    short, fits = (ada.save(f"https://example.org/{place}")["id"] for place in range(2))
    add_vector(short, [1, 0])
    add_vector(fits, [1, 0, 0])
    assert ids(rank_by_similarity(actor_of(ada), [1, 0, 0], "fake", live(), 5)) == [fits]


def test_of_two_models_the_fuller_one_tells_what_is_similar(ada: Api, context: Flask) -> None:
    saved = [ada.save(f"https://example.org/{place}")["id"] for place in range(4)]
    for id_ in saved:
        add_vector(id_, [1, 0, 0], model="old")
    add_vector(saved[0], [1, 0], model="new")
    assert largest_model(actor_of(ada), ["new", "old"]) == "old"
    items = ada.get(f"/bookmarks/{saved[0]}/similar").json["items"]
    assert [item["bookmark"]["id"] for item in items] == saved[:0:-1]


def test_similar_takes_five_statements_at_most(ada: Api, context: Flask, sql: SqlCounter) -> None:
    saved = [ada.save(f"https://example.org/{place}", tags=["t"])["id"] for place in range(30)]
    for id_ in saved:
        add_vector(id_, [1, 0, 0])
    with sql.at_most(5):
        assert len(ada.get(f"/bookmarks/{saved[0]}/similar", limit=20).json["items"]) == 20


@pytest.mark.parametrize(
    ("waiting", "embedded", "awaits"), [(10, 0, False), (11, 0, True), (11, 110, False), (12, 110, True)]
)
def test_an_organization_awaits_vectors_while_more_than_a_tenth_is_missing(
    ada: Api, bob: Api, context: Flask, waiting: int, embedded: int, awaits: bool
) -> None:
    if embedded:
        Collection(clustered(embedded, 3, seed=13), [ada.organization_id] * embedded)
    links = [{"url": f"https://example.org/w/{place}"} for place in range(waiting)]
    assert ada.post("/bookmarks/bulk", {"items": links}).status_code == 200
    db.session.execute(text("UPDATE bookmarks SET embedding_due_at = now() WHERE url LIKE '%/w/%'"))
    db.session.commit()
    assert lacks_vectors(actor_of(ada), "fake", 3) is awaits
    assert not lacks_vectors(actor_of(bob), "fake", 3)


def test_vectors_of_an_earlier_model_alone_count_as_missing(ada: Api, context: Flask) -> None:
    Collection(clustered(20, 3, seed=14), [ada.organization_id] * 20)
    assert lacks_vectors(actor_of(ada), "another", 3)
    assert lacks_vectors(actor_of(ada), "before", 3)
    assert not lacks_vectors(actor_of(ada), "fake", 3)
