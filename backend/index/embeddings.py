"""Embeddings of bookmarks: the worker makes vectors in batches for bookmarks whose `embedding_due_at` has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, text

from backend.ai.embeddings.provider import EmbeddingProvider
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate_lists
from backend.leases import DueRows, is_due

BATCH = 64
LEASE_SECONDS, RETRY_SECONDS = 600, 30
# The model reads 256 tokens, about a thousand characters of English, and cuts the rest.
MAX_EMBEDDED_CHARACTERS = 2_000

PAGE_TEXT = (
    select(func.left(BookmarkContent.text, MAX_EMBEDDED_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
)
FIELDS = (func.nullif(field, "") for field in (Bookmark.title, Bookmark.description, Bookmark.notes))
CONTENT = func.left(func.concat_ws("\n", *FIELDS, PAGE_TEXT), MAX_EMBEDDED_CHARACTERS).label("content")
DUE = DueRows(Bookmark.embedding_due_at)
# The next of all organizations in turn: everyone's first before anyone's second. A skip scan finds organizations with
# due bookmarks, from any of them on and round, since there may be more of them than rows in a batch. It sorts by both
# columns of its index, or an index of all bookmarks would do as well by the statistics of a small table.
NEXT = text("""
    WITH RECURSIVE turns AS (
        SELECT CAST(floor(random() * (
               SELECT b.organization_id FROM bookmarks b WHERE b.embedding_due_at IS NOT NULL
                ORDER BY b.organization_id DESC, b.embedding_due_at DESC LIMIT 1)) AS bigint) AS id
         UNION
        SELECT coalesce(
               (SELECT b.organization_id FROM bookmarks b
                 WHERE b.organization_id > t.id AND b.embedding_due_at <= now()
                 ORDER BY b.organization_id, b.embedding_due_at LIMIT 1),
               (SELECT b.organization_id FROM bookmarks b
                 WHERE b.embedding_due_at <= now() ORDER BY b.organization_id, b.embedding_due_at LIMIT 1))
          FROM turns t WHERE t.id IS NOT NULL),
    organizations AS (SELECT id FROM turns LIMIT :batch + 1)
    SELECT d.id
      FROM organizations o
     CROSS JOIN LATERAL (
           SELECT b.id, row_number() OVER (ORDER BY b.embedding_due_at) AS number FROM bookmarks b
            WHERE b.organization_id = o.id AND b.embedding_due_at <= now()
            ORDER BY b.embedding_due_at LIMIT :batch) AS d
     ORDER BY d.number LIMIT :batch
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


def embed_next_batch(provider: EmbeddingProvider) -> int:
    """Make the vectors of up to 64 due bookmarks; return their number.

    Raises:
        EmbeddingsUnavailable: the provider failed; the bookmarks are due again after 30 s.
    """
    ids = db.session.scalars(NEXT, {"batch": BATCH}).all()
    claims = DUE.claim(CONTENT, batch=BATCH, lease_seconds=LEASE_SECONDS, ids=ids)
    if claims:
        with DUE.released_on_failure(claims, seconds=RETRY_SECONDS):
            _store(provider, claims)
    return len(claims)


def count_pending_embeddings() -> int:
    """Count the bookmarks that wait for a vector."""
    waiting = select(func.count()).select_from(Bookmark).where(Bookmark.embedding_due_at.is_not(None))
    return db.session.scalar(waiting) or 0


def is_embedding_due() -> bool:
    """Tell whether any bookmark is due for a vector."""
    due = select(Bookmark.id).where(is_due(Bookmark.embedding_due_at)).limit(1)
    return db.session.scalar(due) is not None


def vector_literal(values: Any) -> str:
    """Format a vector in pgvector's text form."""
    return "[" + ",".join(f"{value:.7g}" for value in values) + "]"


def _store(provider: EmbeddingProvider, claims: Sequence[Row[Any]]) -> None:
    with_text = [claim for claim in claims if claim.content]
    vectors = provider.embed([claim.content for claim in with_text])
    by_id = {claim.id: vector for claim, vector in zip(with_text, vectors, strict=True)}
    # An edit since the claim voids it: the vector of the old text is not stored.
    held = DUE.lock(claims)
    made = [claim.id for claim in held if claim.content]
    db.session.execute(
        STORE,
        {
            "model": provider.model,
            "dimension": provider.dimension,
            "ids": made,
            "embeddings": [vector_literal(by_id[id_]) for id_ in made],
        },
    )
    if without_text := [claim.id for claim in held if not claim.content]:
        db.session.execute(DELETE, {"ids": without_text})
    organizations = DUE.complete(held)
    db.session.commit()
    # Recommendations depend on the vectors.
    for organization_id in organizations:
        invalidate_lists(organization_id)
