"""Subject embeddings: vectors of projects and tasks, made in batches by the worker for due rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Row, SQLColumnExpression, TextClause, func, select, text

from backend.ai.embeddings.provider import EmbeddingProvider
from backend.extensions import db
from backend.index.embeddings import vector_literal
from backend.leases import DueRows
from backend.projects.models import Project
from backend.recommendations.subjects import READ_CHARACTERS, embedding_text
from backend.tasks.models import Task

BATCH, LEASE_SECONDS, RETRY_SECONDS = 64, 600, 30
Kind = Literal["project", "task"]

DUE: dict[Kind, DueRows] = {"project": DueRows(Project.embedding_due_at), "task": DueRows(Task.embedding_due_at)}
TECHNOLOGIES_OF_TASK = (
    select(Project.technologies).where(Project.id == Task.project_id).correlate(Task).scalar_subquery()
)
# What is embedded of a row.
COLUMNS: dict[Kind, tuple[SQLColumnExpression[Any], ...]] = {
    "project": (
        Project.name.label("title"),
        func.left(Project.description, READ_CHARACTERS).label("body"),
        Project.technologies,
    ),
    "task": (
        Task.title,
        func.left(Task.description, READ_CHARACTERS).label("body"),
        TECHNOLOGIES_OF_TASK.label("technologies"),
    ),
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


def embed_next_subjects(kind: Kind, provider: EmbeddingProvider) -> tuple[int, set[int]]:
    """Embed up to 64 due projects or tasks; return how many there were, and their organizations.

    Raises:
        EmbeddingsUnavailable: the provider failed; the rows are released.
    """
    claims = DUE[kind].claim(*COLUMNS[kind], batch=BATCH, lease_seconds=LEASE_SECONDS)
    if not claims:
        return 0, set()
    with DUE[kind].released_on_failure(claims, seconds=RETRY_SECONDS):
        return len(claims), _store(kind, provider, claims)


def _store(kind: Kind, provider: EmbeddingProvider, claims: Sequence[Row[Any]]) -> set[int]:
    texts = [embedding_text(claim.title, claim.body, tuple(claim.technologies or ())) for claim in claims]
    embeddings = [vector_literal(vector) for vector in provider.embed(texts)]
    ids = [claim.id for claim in claims]
    db.session.execute(STORE[kind], {"model": provider.model, "ids": ids, "embeddings": embeddings})
    organizations = DUE[kind].complete(claims)
    db.session.commit()
    return organizations
