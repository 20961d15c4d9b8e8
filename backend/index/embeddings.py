"""Embeddings of bookmarks: the worker makes vectors in batches for bookmarks whose `embedding_due_at` has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, text

from backend.ai.embeddings.provider import EmbeddingProvider
from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate_lists

BATCH = 64
LEASE_SECONDS = 600
# The model reads 256 tokens, about a thousand characters of English, and cuts the rest.
MAX_EMBEDDED_CHARACTERS = 2_000

# A claim moves the due time past a lease: a worker that dies loses nothing. An edit changes the due time, which voids
# the claim: the vector of the old text is not stored.
CLAIM = text("""
    UPDATE bookmarks b
       SET embedding_due_at = now() + make_interval(secs => :lease)
     WHERE b.id IN (
           SELECT id FROM bookmarks
            WHERE embedding_due_at <= now()
            ORDER BY embedding_due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING b.id, b.embedding_due_at,
              left(concat_ws(E'\\n', nullif(b.title, ''), nullif(b.description, ''), nullif(b.notes, ''),
                   (SELECT left(c.text, :characters) FROM bookmark_contents c WHERE c.bookmark_id = b.id)),
                   :characters) AS content
""")
LOCK = text("""
    SELECT b.id, b.organization_id
      FROM bookmarks b
      JOIN unnest(CAST(:ids AS bigint[]), CAST(:claims AS timestamptz[])) AS given(id, claim)
        ON b.id = given.id AND b.embedding_due_at = given.claim
     ORDER BY b.id FOR NO KEY UPDATE OF b
""")
STORE = text("""
    INSERT INTO bookmark_embeddings (bookmark_id, organization_id, model, dimension, embedding, updated_at)
    SELECT b.id, b.organization_id, :model, :dimension, given.embedding::halfvec, now()
      FROM unnest(CAST(:ids AS bigint[]), CAST(:embeddings AS text[])) AS given(id, embedding)
      JOIN bookmarks b ON b.id = given.id
    ON CONFLICT (bookmark_id, model) DO UPDATE
       SET embedding = excluded.embedding, dimension = excluded.dimension, updated_at = now()
""")
# A bookmark without text has no vector.
DELETE = text("DELETE FROM bookmark_embeddings WHERE bookmark_id = ANY(:ids)")
CLEAR_DUE = text("UPDATE bookmarks SET embedding_due_at = NULL WHERE id = ANY(:ids)")
RELEASE = text("UPDATE bookmarks SET embedding_due_at = now() + make_interval(secs => :wait) WHERE id = ANY(:ids)")


def embed_next_batch(provider: EmbeddingProvider) -> int:
    """Make the vectors of up to 64 due bookmarks; return their number.

    Raises:
        EmbeddingsUnavailable: the provider failed; the bookmarks are due again after 30 s.
    """
    rows = db.session.execute(
        CLAIM, {"lease": LEASE_SECONDS, "batch": BATCH, "characters": MAX_EMBEDDED_CHARACTERS}
    ).all()
    db.session.commit()
    if not rows:
        return 0
    try:
        _store(provider, rows)
    except BaseException:
        db.session.rollback()
        db.session.execute(RELEASE, {"ids": [row.id for row in rows], "wait": 30})
        db.session.commit()
        raise
    return len(rows)


def count_pending_embeddings() -> int:
    """Count the bookmarks that wait for a vector."""
    waiting = select(func.count()).select_from(Bookmark).where(Bookmark.embedding_due_at.is_not(None))
    return db.session.scalar(waiting) or 0


def is_embedding_due() -> bool:
    """Tell whether any bookmark is due for a vector."""
    due = select(Bookmark.id).where(Bookmark.embedding_due_at <= func.now()).limit(1)
    return db.session.scalar(due) is not None


def vector_literal(values: Any) -> str:
    """Format a vector in pgvector's text form."""
    return "[" + ",".join(f"{value:.7g}" for value in values) + "]"


def _store(provider: EmbeddingProvider, rows: Sequence[Any]) -> None:
    with_text = [row for row in rows if row.content]
    vectors = provider.embed([row.content for row in with_text])
    claims = {"ids": [row.id for row in rows], "claims": [row.embedding_due_at for row in rows]}
    held = {row.id: row.organization_id for row in db.session.execute(LOCK, claims)}
    made = [(row.id, vector) for row, vector in zip(with_text, vectors, strict=True) if row.id in held]
    db.session.execute(
        STORE,
        {
            "model": provider.model,
            "dimension": provider.dimension,
            "ids": [id_ for id_, _ in made],
            "embeddings": [vector_literal(vector) for _, vector in made],
        },
    )
    if without_text := [row.id for row in rows if row.id in held and not row.content]:
        db.session.execute(DELETE, {"ids": without_text})
    db.session.execute(CLEAR_DUE, {"ids": sorted(held)})
    db.session.commit()
    # Recommendations depend on the vectors.
    for organization_id in set(held.values()):
        invalidate_lists(organization_id)
