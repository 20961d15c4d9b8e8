"""The messages that wake a worker for bookmarks."""

from __future__ import annotations

from backend.extensions import current_settings
from backend.jobs.queue import Message

EMBED_TIMEOUT_SECONDS = 900
STATISTICS_TIMEOUT_SECONDS = 3_600


def capture_message(bookmark_id: int, *, queue: str = "capture") -> Message:
    """Read the page of a bookmark whose `capture_status` is pending."""
    return Message(
        "bookmarks.capture_bookmark",
        {"bookmark_id": bookmark_id},
        key=f"capture-{bookmark_id}",
        queue=queue,
        timeout_seconds=current_settings().capture_message_seconds,
    )


def embed_message() -> Message:
    """Make the vectors of all bookmarks whose `embedding_due_at` is set."""
    return Message("bookmarks.embed_bookmarks", queue="bulk", timeout_seconds=EMBED_TIMEOUT_SECONDS, once=True)


def refresh_message() -> Message:
    """Refresh all search documents whose `document_due_at` is set."""
    return Message("bookmarks.refresh_due_documents", timeout_seconds=600, once=True)


def statistics_message() -> Message:
    """Count the documents of all organizations anew of which enough have changed."""
    return Message(
        "bookmarks.refresh_changed_statistics",
        queue="capture",
        timeout_seconds=STATISTICS_TIMEOUT_SECONDS,
        once=True,
    )
