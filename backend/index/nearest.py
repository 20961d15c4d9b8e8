"""Nearest neighbours of a vector in an organization: by an exact scan where they are few, by the HNSW index where
many."""

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
from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.index.models import BookmarkEmbedding
from backend.named_blocks import read_statements

Ranked = list[tuple[int, float]]
Vector = NDArray[np.float32] | Sequence[float]

# Up to this number of vectors, or of bookmarks that pass the filters, the scan is exact: 0.7 µs each, 6 ms in all.
EXACT_BOUND = 10_000
# The index serves all organizations. It visits `limit * vectors in the index / vectors that pass`, 6 µs each; the exact
# scan takes 0.7 µs for each that passes. The scan is cheaper up to the square root of `limit * vectors in the index *
# 9`. Beyond the cap the scan takes longer than a person should wait.
INDEX_COST = 9
MAX_EXACT_BOUND = 40_000
# Bounds of hnsw.ef_search: of 43,968 links, recall@10 is 0.992 with 200, and 0.967 with 40.
LEAST_EF, MOST_EF = 200, 1_000
# Vectors that the index scan may visit before the exact scan replaces it: 0.1 s.
MAX_SCAN_TUPLES = 20_000
# Numbers of waiting bookmarks that search tolerates: a few, or a tenth, but at most a thousand.
FEW, SHARE, MANY = 10, 10, 1_000

# Settings for the rest of the transaction, made by the statement that chooses the index.
SETTINGS = (
    ("hnsw.iterative_scan", "relaxed_order"),  # 0.02 more recall@100 than strict_order; the rows are re-sorted.
    ("hnsw.max_scan_tuples", str(MAX_SCAN_TUPLES)),
)
SQL = read_statements(__file__)


def rank_by_similarity(
    actor: Actor, vector: Vector, model: str, where: Sequence[ColumnElement[bool]], limit: int
) -> Ranked:
    """Return the nearest bookmarks of the actor's organization: ids with the cosine similarity, best first.

    Two statements, or three where the index returns too few. `where` are conditions on `Bookmark`. Of equal
    similarities the newest bookmark comes first. Exact up to at least `EXACT_BOUND` vectors or bookmarks that pass.
    """
    if _is_by_index(actor, model, len(vector), where, limit):
        ranked = _by_index(actor, vector, model, where, limit)
        if len(ranked) == limit:
            return ranked
    return _exactly(actor, vector, model, where, limit)


def similarities(actor: Actor, vector: Vector, model: str, ids: Sequence[int]) -> dict[int, float]:
    """Return the cosine similarities of these bookmarks, except those without a vector under the model. One
    statement."""
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
    """Tell whether so many bookmarks wait for a vector under this model that semantic search is incomplete. One
    statement.

    True for more than a tenth of the organization's vectors or more than 1,000, but not for 10 or fewer. A bookmark
    waits when it is due without a vector, or when it only has one of another model.
    """
    values = {"organization": actor.organization_id, "model": model, "dimension": dimension}
    return bool(db.session.scalar(SQL["lacks_vectors"], {**values, "few": FEW, "share": SHARE, "many": MANY}))


def largest_model(actor: Actor, models: Sequence[str]) -> str:
    """Return the model with the most vectors of the organization, counted up to 10,000; of equals the first.

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
    """Return the name of the index over all vectors of this dimension."""
    return f"ix_bookmark_embeddings_nearest_{dimension}"


def _is_by_index(actor: Actor, model: str, dimension: int, where: Sequence[ColumnElement[bool]], limit: int) -> bool:
    return db.session.scalar(select(index_choice(actor, model, dimension, where, limit))) is not None


def index_choice(
    actor: Actor, model: str, dimension: int, where: Sequence[ColumnElement[bool]], limit: int
) -> ScalarSelect[str]:
    """Build a scalar subquery that is not null where a valid index exists and an exact scan is too expensive; it also
    sets up the index scan for the rest of the transaction."""
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
    # Both counts stop at the bound and use indexes alone; the second runs only if the first exceeds the bound.
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
    """Build a statement for the bookmarks with the nearest vectors, those in the trash included, as a part of another
    one.

    `by_index` says whether `index_choice` has set up the index scan.
    """
    dimension = len(vector)
    column = cast(BookmarkEmbedding.embedding, HALFVEC(dimension)) if by_index else BookmarkEmbedding.embedding
    statement = select(BookmarkEmbedding.bookmark_id.label("id")).where(
        *_own(actor, model), BookmarkEmbedding.dimension == dimension
    )
    return statement.order_by(column.cosine_distance(vector)).limit(limit)


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
    # OFFSET prevents the planner from turning the condition into a join, which loses the order of the index.
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
    # Relaxed order is only nearly that of distance, and equals have no order in the index.
    return sorted(((row.bookmark_id, 1 - row.distance) for row in rows), key=lambda pair: (-pair[1], -pair[0]))


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
