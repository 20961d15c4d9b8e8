"""Worker jobs for vectors and statistics: find due rows, call a service. Each is safe to run twice."""

from __future__ import annotations

from loguru import logger

from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embedding_provider
from backend.extensions import current_settings
from backend.index.embedding_rebuild import ensure_index, remove_superseded
from backend.index.embeddings import embed_next_batch, is_embedding_due
from backend.index.messages import embed_message, statistics_message
from backend.index.statistics import changed_organizations
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.turns import Turn

# After this time the worker serves its other queues.
LONGEST_TURN_SECONDS = 60.0


@job("index.embed_bookmarks")
def embed_bookmarks() -> None:
    """Make vectors until none is due, or others have their turn."""
    turn = Turn(LONGEST_TURN_SECONDS)
    if current_settings().EMBEDDING_PROVIDER == "none" or not is_embedding_due():
        return
    try:
        provider = embedding_provider(interactive=False)
        ensure_index(provider.dimension)
        while embed_next_batch(provider) and not turn.is_over:
            continue
    except EmbeddingsUnavailable as fault:
        logger.warning("embedding put off: {}", fault.reason)
        return
    if is_embedding_due():
        send([embed_message()])


@job("index.resend_due_work")
def resend_due_work() -> None:
    """Send the messages again if vectors or statistics are due: they may have been lost."""
    settings = current_settings()
    messages = [embed_message()] if settings.EMBEDDING_PROVIDER != "none" and is_embedding_due() else []
    if changed_organizations():
        messages.append(statistics_message())
    send(messages)


@job("index.remove_superseded_vectors")
def remove_superseded_vectors() -> None:
    """Delete vectors of earlier models where the move to the configured one is complete."""
    settings = current_settings()
    if settings.EMBEDDING_PROVIDER != "none":
        remove_superseded(settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION, only_older=True)
