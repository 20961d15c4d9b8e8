"""The messages that wake a worker for bookmarks."""

from __future__ import annotations

from backend.jobs.queue import Message

# A lane that reads by itself is only woken; elsewhere the message reads until nothing is due, or its time is up.
CAPTURE_TIMEOUT_SECONDS = 600
EMBED_TIMEOUT_SECONDS = 900
STATISTICS_TIMEOUT_SECONDS = 3_600


def capture_message(*, once: bool = True) -> Message:
    """Read the pages that are due. Whoever saves a single link sends it without `once`: that is one round trip less."""
    return Message("capture.read_due_pages", queue="capture", timeout_seconds=CAPTURE_TIMEOUT_SECONDS, once=once)


def embed_message() -> Message:
    """Make the vectors of all bookmarks whose `embedding_due_at` is set."""
    return Message("index.embed_bookmarks", queue="bulk", timeout_seconds=EMBED_TIMEOUT_SECONDS, once=True)


def refresh_message() -> Message:
    """Refresh all search documents whose `document_due_at` is set."""
    return Message("bookmarks.refresh_due_documents", timeout_seconds=600, once=True)


def statistics_message() -> Message:
    """Count the documents of all organizations anew of which enough have changed."""
    return Message(
        "index.refresh_changed_statistics",
        queue="bulk",
        timeout_seconds=STATISTICS_TIMEOUT_SECONDS,
        once=True,
    )
