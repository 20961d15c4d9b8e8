"""What the worker does for recommendations."""

from __future__ import annotations

from loguru import logger
from sqlalchemy import text

from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embedding_provider
from backend.database import in_batches
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.projects.messages import embed_subjects_message
from backend.recommendations.embeddings import Kind, embed_next_subjects
from backend.recommendations.queries import count_due

KINDS: tuple[Kind, ...] = ("project", "task")
PURGE = text("""
    DELETE FROM recommendation_sets WHERE id IN (
        SELECT id FROM recommendation_sets WHERE created_at < now() - interval '90 days' LIMIT 1000)
""")


@job("recommendations.embed_subjects")
def embed_subjects() -> None:
    """Make the vectors of projects and tasks until none is due."""
    if current_settings().EMBEDDING_PROVIDER == "none" or not count_due():
        return
    try:
        provider = embedding_provider(interactive=False)
        for kind in KINDS:
            number = 1
            while number:
                number, organizations = embed_next_subjects(kind, provider)
                invalidate(organizations)
    except EmbeddingsUnavailable as fault:
        logger.warning("embedding of projects and tasks put off: {}", fault.reason)


@job("recommendations.resend_due_subjects")
def resend_due_subjects() -> None:
    """Send again what is due and has no message."""
    if current_settings().EMBEDDING_PROVIDER != "none" and count_due():
        send([embed_subjects_message()])


@job("recommendations.purge_recommendations")
def purge_recommendations() -> None:
    """Forget what was offered longer than 90 days ago; what was said of it stays."""
    for _ in in_batches(PURGE):
        continue
    db.session.commit()
