"""Embedding rebuild: the move from one embedding model to another, while search continues.

Semantic search always uses the configured model. New vectors are made beside the old ones; a bookmark without a new one
is found by its words alone, and responses say `degraded` while many wait. Vectors of other models are deleted when
every bookmark of an organization with a vector has one of the new model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from backend.database import execute_in_batches, owner_engine
from backend.extensions import db
from backend.index.embeddings import count_pending_embeddings
from backend.index.nearest import nearest_index_name

BATCH = 1_000
MAX_INDEXED_DIMENSION = 4_000  # pgvector's limit for halfvec under HNSW.
INDEX_LOCK = 7_303_014_252  # An arbitrary key: one builder at a time.
LOCK_TIMEOUT = "60s"  # Building waits for open transactions; a forgotten one must not block it for ever.
MAY_BUILD = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'bookmark_embeddings'::regclass")
MARK = text("""
    UPDATE bookmarks SET embedding_due_at = now()
     WHERE id IN (
           SELECT b.id FROM bookmarks b
            WHERE b.id > :after AND (CAST(:organization AS bigint) IS NULL OR b.organization_id = :organization)
              AND b.embedding_due_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM bookmark_embeddings e
                               WHERE e.bookmark_id = b.id AND e.model = :model AND e.dimension = :dimension)
            ORDER BY b.id LIMIT :batch)
    RETURNING id
""")
WAITING = text("""
    SELECT count(*) FROM bookmarks
     WHERE embedding_due_at IS NOT NULL AND (CAST(:organization AS bigint) IS NULL OR organization_id = :organization)
""")
# A skip scan of the index by organization and model.
WITH_OTHER_MODELS = text("""
    WITH RECURSIVE own (id, other) AS (
        (SELECT organization_id, model FROM bookmark_embeddings ORDER BY organization_id, model LIMIT 1)
        UNION ALL
        SELECT next.organization_id, next.model FROM own CROSS JOIN LATERAL (
            SELECT organization_id, model FROM bookmark_embeddings
             WHERE (organization_id, model) > (own.id, own.other)
             ORDER BY organization_id, model LIMIT 1) next)
    SELECT DISTINCT id FROM own
     WHERE other <> :model AND (CAST(:organization AS bigint) IS NULL OR id = :organization) ORDER BY id
""")
LACKS_SOME = text("""
    SELECT EXISTS (
        SELECT 1 FROM bookmark_embeddings o
         WHERE o.organization_id = :organization AND o.model <> :model
           AND NOT EXISTS (SELECT 1 FROM bookmark_embeddings n
                            WHERE n.bookmark_id = o.bookmark_id AND n.model = :model AND n.dimension = :dimension
                              AND (NOT :only_older OR n.updated_at >= o.updated_at)))
""")
REMOVE = text("""
    DELETE FROM bookmark_embeddings WHERE (bookmark_id, model) IN (
        SELECT bookmark_id, model FROM bookmark_embeddings
         WHERE organization_id = :organization AND model <> :model LIMIT :batch)
""")
COUNTS = text("""
    SELECT model, dimension, count(*) AS number, count(DISTINCT organization_id) AS organizations
      FROM bookmark_embeddings GROUP BY model, dimension ORDER BY number DESC, model, dimension
""")
INDEX_STATE = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


@dataclass(frozen=True)
class ModelCount:
    """The number of vectors of one model, and of organizations with them."""

    model: str
    dimension: int
    vectors: int
    organizations: int


@dataclass(frozen=True)
class EmbeddingStatus:
    """The vectors by model, the number of bookmarks that wait, and whether the configured dimension has its index."""

    models: list[ModelCount]
    pending: int
    indexed: bool


def embedding_status(dimension: int) -> EmbeddingStatus:
    """Return the state of all vectors. Scans the whole table: for operators."""
    models = [ModelCount(*row) for row in db.session.execute(COUNTS)]
    with db.engine.connect() as connection:
        return EmbeddingStatus(models, count_pending_embeddings(), bool(_index_state(connection, dimension)))


def mark_for_rebuild(model: str, dimension: int, organization_id: int | None = None) -> int:
    """Mark the bookmarks without a vector of this model, for the worker; return their number. Commits every 1,000."""
    marked, after = 0, 0
    while True:
        ids = db.session.scalars(
            MARK,
            {"model": model, "dimension": dimension, "organization": organization_id, "after": after, "batch": BATCH},
        ).all()
        db.session.commit()
        marked += len(ids)
        if len(ids) < BATCH:
            return marked
        after = max(ids)


def count_missing_vectors(organization_id: int | None = None) -> int:
    """Count the bookmarks of one organization, or of all, that wait for a vector."""
    return db.session.scalar(WAITING, {"organization": organization_id}) or 0


def remove_superseded(
    model: str, dimension: int, organization_id: int | None = None, *, only_older: bool = False
) -> int:
    """Delete other models' vectors of organizations whose vectors of this model are complete; return their number.
    Commits every 1,000.

    Args:
        model: the model that stays.
        dimension: the length of its vectors.
        organization_id: of one organization alone.
        only_older: spare vectors that are newer than the model's own: a process with outdated settings must not undo a
            move.
    """
    return sum(_remove_superseded_of(id_, model, dimension, only_older) for id_ in _movable(model, organization_id))


def ensure_index(dimension: int) -> bool:
    """Build the nearest-neighbour index of a dimension if there is none; return whether there is one now.

    Ends the session's transaction, since building waits for all open ones. Writes continue meanwhile. Without the index
    search is exact and slower. Only the owner of the tables can build it: migrations do so for EMBEDDING_DIMENSION, and
    other callers with DATABASE_MIGRATION_URL.
    """
    if dimension > MAX_INDEXED_DIMENSION:
        return False
    db.session.commit()
    with (
        owner_engine() as engine,
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        if _index_state(connection, dimension):
            return True
        if not connection.scalar(MAY_BUILD):
            return False
        connection.detach()  # Closing it ends its lock and its settings.
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": INDEX_LOCK}):
            return False
        return _build_index(connection, dimension)


def _build_index(connection: Connection, dimension: int) -> bool:
    name = nearest_index_name(dimension)
    connection.execute(text(f"SET statement_timeout = 0; SET lock_timeout = '{LOCK_TIMEOUT}'"))
    try:
        # An interrupted build leaves an invalid index, which costs writes and serves no query.
        if _index_state(connection, dimension) is False:
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        connection.execute(
            text(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON bookmark_embeddings "
                f"USING hnsw ((embedding::halfvec({dimension})) halfvec_cosine_ops) "
                f"WITH (m = 16, ef_construction = 64) WHERE dimension = {dimension}"
            )
        )
    except OperationalError:
        return False  # A transaction stayed open too long; the next call retries.
    return True


def _index_state(connection: Connection, dimension: int) -> bool | None:
    """Return whether the index is valid; None where there is none."""
    state: bool | None = connection.scalar(INDEX_STATE, {"name": nearest_index_name(dimension)})
    return state


def _movable(model: str, organization_id: int | None) -> Iterator[int]:
    yield from db.session.scalars(WITH_OTHER_MODELS, {"model": model, "organization": organization_id}).all()


def _remove_superseded_of(organization_id: int, model: str, dimension: int, only_older: bool) -> int:
    own = {"organization": organization_id, "model": model}
    if db.session.scalar(LACKS_SOME, {**own, "dimension": dimension, "only_older": only_older}):
        db.session.rollback()
        return 0
    return sum(execute_in_batches(REMOVE, {**own, "batch": BATCH}))
