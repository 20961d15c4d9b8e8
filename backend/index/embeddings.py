"""Vectors of bookmarks: made in batches by the worker, for every bookmark whose `embedding_due_at` has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, text

from backend.ai.embeddings.provider import EmbeddingProvider
from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.http.response_cache.invalidation import announce_change_of_lists

BATCH = 64
LEASE_SECONDS = 600
# The model reads 256 tokens, about a thousand characters of English; the rest would only be cut off.
MAX_EMBEDDED_CHARACTERS = 2_000

# A claim moves the due time into the future: a worker that dies loses nothing. An edit in the meantime sets another
# time, or none: then the claim is void, and the vector of the earlier text is not stored.
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
HOLD = text("""
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
# What has lost its text has no meaning to be found by.
FORGET = text("DELETE FROM bookmark_embeddings WHERE bookmark_id = ANY(:ids)")
SETTLE = text("UPDATE bookmarks SET embedding_due_at = NULL WHERE id = ANY(:ids)")
RELEASE = text("UPDATE bookmarks SET embedding_due_at = now() + make_interval(secs => :wait) WHERE id = ANY(:ids)")


def embed_next_batch(provider: EmbeddingProvider) -> int:
    """Make the vectors of up to 64 bookmarks that wait for one; how many there were.

    Raises:
        EmbeddingsUnavailable: the provider failed; the bookmarks wait on.
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
    """How many bookmarks wait for a vector."""
    waiting = select(func.count()).select_from(Bookmark).where(Bookmark.embedding_due_at.is_not(None))
    return db.session.scalar(waiting) or 0


def is_embedding_due() -> bool:
    """Whether any bookmark's time has come."""
    due = select(Bookmark.id).where(Bookmark.embedding_due_at <= func.now()).limit(1)
    return db.session.scalar(due) is not None


def vector_literal(values: Any) -> str:
    """pgvector's text form of one vector."""
    return "[" + ",".join(f"{value:.7g}" for value in values) + "]"


def _store(provider: EmbeddingProvider, rows: Sequence[Any]) -> None:
    with_text = [row for row in rows if row.content]
    vectors = provider.embed([row.content for row in with_text])
    claims = {"ids": [row.id for row in rows], "claims": [row.embedding_due_at for row in rows]}
    held = {row.id: row.organization_id for row in db.session.execute(HOLD, claims)}
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
        db.session.execute(FORGET, {"ids": without_text})
    db.session.execute(SETTLE, {"ids": sorted(held)})
    db.session.commit()
    # What is recommended follows from the vectors.
    for organization_id in set(held.values()):
        announce_change_of_lists(organization_id)
