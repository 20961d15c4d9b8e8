"""Vectors of projects and tasks: made in batches by the worker, for all whose `embedding_due_at` has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import TextClause, text

from backend.ai.embeddings.provider import EmbeddingProvider
from backend.extensions import db
from backend.index.embeddings import vector_literal
from backend.recommendations.subjects import text_of

BATCH, LEASE_SECONDS, RETRY_SECONDS = 64, 600, 30
Kind = Literal["project", "task"]

# As for bookmarks: a claim moves the due time; an edit meanwhile sets it anew, which is seen when it is settled.
CLAIM: dict[Kind, TextClause] = {
    "project": text("""
        UPDATE projects SET embedding_due_at = now() + make_interval(secs => :lease)
         WHERE id IN (SELECT id FROM projects WHERE embedding_due_at <= now()
                       ORDER BY embedding_due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
        RETURNING id, embedding_due_at AS claim, name AS title, left(description, :characters) AS body, technologies
    """),
    "task": text("""
        UPDATE tasks SET embedding_due_at = now() + make_interval(secs => :lease)
         WHERE id IN (SELECT id FROM tasks WHERE embedding_due_at <= now()
                       ORDER BY embedding_due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
        RETURNING id, embedding_due_at AS claim, title, left(description, :characters) AS body,
                  ARRAY(SELECT unnest(p.technologies) FROM projects p WHERE p.id = project_id) AS technologies
    """),
}
STORE: dict[Kind, TextClause] = {
    "project": text("""
        INSERT INTO subject_embeddings (organization_id, project_id, model, embedding, updated_at)
        SELECT p.organization_id, p.id, :model, CAST(given.embedding AS halfvec), now()
          FROM unnest(CAST(:ids AS bigint[]), CAST(:embeddings AS text[])) AS given(id, embedding)
          JOIN projects p ON p.id = given.id
        ON CONFLICT (project_id, model)
        DO UPDATE SET embedding = excluded.embedding, updated_at = now()
    """),
    "task": text("""
        INSERT INTO subject_embeddings (organization_id, task_id, model, embedding, updated_at)
        SELECT t.organization_id, t.id, :model, CAST(given.embedding AS halfvec), now()
          FROM unnest(CAST(:ids AS bigint[]), CAST(:embeddings AS text[])) AS given(id, embedding)
          JOIN tasks t ON t.id = given.id
        ON CONFLICT (task_id, model)
        DO UPDATE SET embedding = excluded.embedding, updated_at = now()
    """),
}
SETTLE: dict[Kind, TextClause] = {
    "project": text("""
        UPDATE projects p SET embedding_due_at = NULL
          FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS timestamptz[])) AS given(id, claim)
         WHERE p.id = given.id AND p.embedding_due_at = given.claim RETURNING p.organization_id
    """),
    "task": text("""
        UPDATE tasks t SET embedding_due_at = NULL
          FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS timestamptz[])) AS given(id, claim)
         WHERE t.id = given.id AND t.embedding_due_at = given.claim RETURNING t.organization_id
    """),
}
RELEASE: dict[Kind, TextClause] = {
    "project": text("UPDATE projects SET embedding_due_at = now() + make_interval(secs => :wait) WHERE id = ANY(:ids)"),
    "task": text("UPDATE tasks SET embedding_due_at = now() + make_interval(secs => :wait) WHERE id = ANY(:ids)"),
}


def embed_next_subjects(kind: Kind, provider: EmbeddingProvider) -> tuple[int, set[int]]:
    """Make the vectors of up to 64 projects or tasks that wait for one; how many there were, in which organizations.

    Raises:
        EmbeddingsUnavailable: the provider failed; they wait on.
    """
    values = {"lease": LEASE_SECONDS, "batch": BATCH, "characters": 2_000}
    rows = db.session.execute(CLAIM[kind], values).all()
    db.session.commit()
    if not rows:
        return 0, set()
    try:
        organizations = _store(kind, provider, rows)
    except BaseException:
        db.session.rollback()
        db.session.execute(RELEASE[kind], {"ids": [row.id for row in rows], "wait": RETRY_SECONDS})
        db.session.commit()
        raise
    return len(rows), organizations


def _store(kind: Kind, provider: EmbeddingProvider, rows: Sequence[Any]) -> set[int]:
    vectors = provider.embed([text_of(row.title, row.body, tuple(row.technologies or ())) for row in rows])
    ids = [row.id for row in rows]
    embeddings = [vector_literal(vector) for vector in vectors]
    db.session.execute(STORE[kind], {"model": provider.model, "ids": ids, "embeddings": embeddings})
    settled = db.session.scalars(SETTLE[kind], {"ids": ids, "claims": [row.claim for row in rows]})
    organizations = set(settled)
    db.session.commit()
    return organizations
