"""Jobs of recommendations."""

from __future__ import annotations

from loguru import logger
from sqlalchemy import text

from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable
from backend.ai.service import embedding_provider
from backend.database import execute_in_batches
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.turns import Turn
from backend.projects.messages import embed_subjects_message
from backend.recommendations.embeddings import Kind, embed_next_subjects
from backend.recommendations.queries import count_due

KINDS: tuple[Kind, ...] = ("project", "task")
LONGEST_TURN_SECONDS = 60.0
PURGE = text("""
    DELETE FROM recommendation_sets WHERE id IN (
        SELECT id FROM recommendation_sets WHERE created_at < now() - interval '90 days' LIMIT 1000)
""")


@job("recommendations.embed_subjects")
def embed_subjects() -> None:
    """Embed projects and tasks until none is due, or others have their turn."""
    if current_settings().EMBEDDING_PROVIDER == "none" or not count_due():
        return
    try:
        _embed(embedding_provider(interactive=False), Turn(LONGEST_TURN_SECONDS))
    except EmbeddingsUnavailable as fault:
        logger.warning("embedding of projects and tasks put off: {}", fault.reason)


def _embed(provider: EmbeddingProvider, turn: Turn) -> None:
    for kind in KINDS:
        number = 1
        while number:
            number, organizations = embed_next_subjects(kind, provider)
            invalidate(organizations)
            if turn.is_over:
                send([embed_subjects_message()])
                return


@job("recommendations.resend_due_subjects")
def resend_due_subjects() -> None:
    """Send a message again for due projects and tasks."""
    if current_settings().EMBEDDING_PROVIDER != "none" and count_due():
        send([embed_subjects_message()])


@job("recommendations.purge_recommendations")
def purge_recommendations() -> None:
    """Delete recommendation sets older than 90 days; their feedback stays."""
    for _ in execute_in_batches(PURGE):
        continue
    db.session.commit()
