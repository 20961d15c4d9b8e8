"""The nearest vectors of an organization: exactly where they are few, by the index where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    any_,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkEmbedding
from backend.extensions import db

Ranked = list[tuple[int, float]]
Vector = NDArray[np.float32] | Sequence[float]

# So many vectors, or bookmarks that pass the filters, are compared one by one: 0.7 µs each, 6 ms in all.
EXACT_BOUND = 10_000
# The index serves all organizations. It looks at `limit * vectors in the index / vectors that pass` of them, 6 µs each,
# where the exact scan takes 0.7 µs for each that passes: the scan is the cheaper one up to the square root of
# `limit * vectors in the index * 9`. Beyond the cap the scan would take longer than a person should wait.
INDEX_COST = 9
MAX_EXACT_BOUND = 40_000
# Candidates that the index keeps in sight: of 43,968 links, recall@10 is 0.992 with 200, and 0.967 with 40.
LEAST_EF, MOST_EF = 200, 1_000
# What the index may look at before it gives up and the exact scan takes over: 0.1 s.
MAX_SCAN_TUPLES = 20_000
# What waits for a vector without being missed: a few, or a tenth, and never more than a thousand.
FEW, SHARE, MANY = 10, 10, 1_000

# Set for the rest of the transaction, in the statement that finds the index worth its while.
SETTINGS = (
    ("hnsw.iterative_scan", "relaxed_order"),  # 0.02 more recall@100 than strict_order; the rows are sorted again.
    ("hnsw.max_scan_tuples", str(MAX_SCAN_TUPLES)),
)
AWAITING = text("""
    SELECT CASE WHEN waiting <= :few THEN false
                ELSE waiting > greatest(:few, least(:many, (
                     SELECT count(*) / :share FROM (
                            SELECT 1 FROM bookmark_embeddings
                             WHERE organization_id = :organization AND model = :model LIMIT :many * :share) vectors)))
           END
      FROM (SELECT greatest(
              (SELECT count(*) FROM (
                      SELECT id FROM bookmarks
                       WHERE organization_id = :organization AND embedding_due_at IS NOT NULL LIMIT 2 * :many) due
                WHERE NOT EXISTS (SELECT 1 FROM bookmark_embeddings e
                                   WHERE e.bookmark_id = due.id AND e.model = :model AND e.dimension = :dimension)),
              (SELECT count(*) FROM (
                      (SELECT bookmark_id FROM bookmark_embeddings
                        WHERE organization_id = :organization AND model < :model LIMIT 2 * :many)
                      UNION ALL
                      (SELECT bookmark_id FROM bookmark_embeddings
                        WHERE organization_id = :organization AND model > :model LIMIT 2 * :many)) other
                WHERE NOT EXISTS (SELECT 1 FROM bookmark_embeddings e
                                   WHERE e.bookmark_id = other.bookmark_id AND e.model = :model
                                     AND e.dimension = :dimension))) AS waiting OFFSET 0) found
""")


def rank_by_similarity(
    actor: Actor, vector: Vector, model: str, where: Sequence[ColumnElement[bool]], limit: int
) -> Ranked:
    """The nearest bookmarks of the actor's organization: ids with the cosine similarity, best first.

    Two statements, or three where the index finds too few. `where` are conditions on `Bookmark`. Of equals, the newest
    comes first. Exact up to at least `EXACT_BOUND` vectors or bookmarks that pass.
    """
    if _is_by_index(actor, model, len(vector), where, limit):
        found = _by_index(actor, vector, model, where, limit)
        if len(found) == limit:
            return found
    return _exactly(actor, vector, model, where, limit)


def similarities(actor: Actor, vector: Vector, model: str, ids: Sequence[int]) -> dict[int, float]:
    """The cosine similarities of these bookmarks, as far as they have a vector under the model. One statement."""
    if not ids:
        return {}
    distance = BookmarkEmbedding.embedding.cosine_distance(vector)
    rows = db.session.execute(
        select(BookmarkEmbedding.bookmark_id, distance.label("distance"))
        .where(BookmarkEmbedding.bookmark_id == any_(literal(list(ids), ARRAY(BigInteger))))
        .where(*_own(actor, model), BookmarkEmbedding.dimension == len(vector))
    )
    return {row.bookmark_id: 1 - row.distance for row in rows}


def lacks_vectors(actor: Actor, model: str, dimension: int) -> bool:
    """Whether so many bookmarks wait for a vector under this model that search by meaning misses them. One statement.

    True for more than a tenth of the organization's vectors or more than 1,000, but not for 10 or fewer. A bookmark
    waits when it is due and has none, or when it only has one of another model.
    """
    values = {"organization": actor.organization_id, "model": model, "dimension": dimension}
    return bool(db.session.scalar(AWAITING, {**values, "few": FEW, "share": SHARE, "many": MANY}))


def largest_model(actor: Actor, models: Sequence[str]) -> str:
    """Of several models, the one with the most vectors of the organization, counted up to 10,000; else the first.

    One statement, none for one model.
    """
    if len(models) == 1:
        return models[0]
    sizes = select(
        *(_count(select(BookmarkEmbedding.model).where(*_own(actor, model)), literal(10_000)) for model in models)
    )
    counts = db.session.execute(sizes).one()
    return models[counts.index(max(counts))]


def nearest_index_name(dimension: int) -> str:
    """The name of the index over all vectors of this dimension."""
    return f"ix_bookmark_embeddings_nearest_{dimension}"


def _is_by_index(actor: Actor, model: str, dimension: int, where: Sequence[ColumnElement[bool]], limit: int) -> bool:
    return db.session.scalar(select(index_choice(actor, model, dimension, where, limit))) is not None


def index_choice(
    actor: Actor, model: str, dimension: int, where: Sequence[ColumnElement[bool]], limit: int
) -> ScalarSelect[str]:
    """A value that is not null where there is a usable index and too much for an exact scan: the scan of the index is
    then set up for the rest of the transaction."""
    usable = text("c.oid = to_regclass(:nearest_index) AND i.indisvalid").bindparams(
        nearest_index=nearest_index_name(dimension)
    )
    index = (
        select(_bound(limit).label("bound"))
        .select_from(text("pg_class c JOIN pg_index i ON i.indexrelid = c.oid"))
        .where(usable)
        .cte("nearest")
    )
    settings = (*SETTINGS, ("hnsw.ef_search", str(min(MOST_EF, max(LEAST_EF, 2 * limit)))))
    # Both are counted no further than the bound, in indexes alone, and the second only if the first is beyond it.
    vectors = select(BookmarkEmbedding.model).where(*_own(actor, model))
    passing = select(Bookmark.id).where(Bookmark.organization_id == actor.organization_id, *where)
    return (
        select(func.concat(*(func.set_config(name, value, True) for name, value in settings)))
        .select_from(index)
        .where(
            *(_count(rows, select(index.c.bound + 1).scalar_subquery()) > index.c.bound for rows in (vectors, passing))
        )
        .scalar_subquery()
    )


def nearest(actor: Actor, vector: Vector, model: str, limit: int, *, by_index: bool) -> Select[int]:
    """The bookmarks with the nearest vectors, those in the trash among them, as a statement to be made part of another.

    `by_index` is whether `index_choice` has set the scan of the index up.
    """
    dimension = len(vector)
    column = cast(BookmarkEmbedding.embedding, HALFVEC(dimension)) if by_index else BookmarkEmbedding.embedding
    found = select(BookmarkEmbedding.bookmark_id.label("id")).where(
        *_own(actor, model), BookmarkEmbedding.dimension == dimension
    )
    return found.order_by(column.cosine_distance(vector)).limit(limit)


def _bound(limit: int) -> ColumnElement[int]:
    scan = func.least(
        MAX_EXACT_BOUND, func.sqrt(INDEX_COST * float(limit) * func.greatest(literal_column("c.reltuples"), 0))
    )
    return cast(func.greatest(EXACT_BOUND, scan), BigInteger)


def _count(rows: Select[Any], most: ColumnElement[int]) -> ColumnElement[int]:
    return select(func.count()).select_from(rows.limit(most).subquery()).scalar_subquery()


def _by_index(actor: Actor, vector: Vector, model: str, where: Sequence[ColumnElement[bool]], limit: int) -> Ranked:
    dimension = len(vector)
    distance = cast(BookmarkEmbedding.embedding, HALFVEC(dimension)).cosine_distance(vector)
    # OFFSET keeps the condition from becoming a join, for which the planner might leave the order of the index.
    passes = (
        select(literal(1))
        .where(Bookmark.id == BookmarkEmbedding.bookmark_id, *where)
        .correlate(BookmarkEmbedding)
        .offset(0)
        .exists()
    )
    rows = db.session.execute(
        select(BookmarkEmbedding.bookmark_id, distance.label("distance"))
        .where(*_own(actor, model), BookmarkEmbedding.dimension == dimension, passes)
        .order_by(distance)
        .limit(limit)
    )
    # Relaxed order is nearly that of distance, and of equals the index knows no order.
    return sorted(((row.bookmark_id, 1 - row.distance) for row in rows), key=lambda one: (-one[1], -one[0]))


def _exactly(actor: Actor, vector: Vector, model: str, where: Sequence[ColumnElement[bool]], limit: int) -> Ranked:
    distance = BookmarkEmbedding.embedding.cosine_distance(vector)
    rows = db.session.execute(
        select(BookmarkEmbedding.bookmark_id, distance.label("distance"))
        .join(Bookmark, Bookmark.id == BookmarkEmbedding.bookmark_id)
        .where(*_own(actor, model), BookmarkEmbedding.dimension == len(vector))
        .where(Bookmark.organization_id == actor.organization_id, *where)
        .order_by(distance, BookmarkEmbedding.bookmark_id.desc())
        .limit(limit)
    )
    return [(row.bookmark_id, 1 - row.distance) for row in rows]


def _own(actor: Actor, model: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return BookmarkEmbedding.organization_id == actor.organization_id, BookmarkEmbedding.model == model
