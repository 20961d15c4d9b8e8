"""Queue messages that wake the worker for vectors and statistics."""

from __future__ import annotations

from backend.jobs.queue import Message

EMBED_TIMEOUT_SECONDS = 900

STATISTICS_TIMEOUT_SECONDS = 3_600


def embed_message() -> Message:
    """Build the message that makes the vectors of all bookmarks whose `embedding_due_at` is set."""
    return Message("index.embed_bookmarks", queue="bulk", timeout_seconds=EMBED_TIMEOUT_SECONDS, once=True)


def statistics_message() -> Message:
    """Build the message that refreshes the statistics of all organizations with enough changed documents."""
    return Message(
        "bookmarks.refresh_changed_statistics",
        queue="bulk",
        timeout_seconds=STATISTICS_TIMEOUT_SECONDS,
        once=True,
    )
