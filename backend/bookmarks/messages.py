"""Messages that wake the worker for bookmarks."""

from __future__ import annotations

from backend.jobs.queue import Message

# A lane that reads by itself is only woken; elsewhere the message reads until nothing is due, or its time is up.
CAPTURE_TIMEOUT_SECONDS = 600


def capture_message(*, once: bool = True) -> Message:
    """Read the pages that are due. Whoever saves a single link sends it without `once`: that is one round trip less."""
    return Message("capture.read_due_pages", queue="capture", timeout_seconds=CAPTURE_TIMEOUT_SECONDS, once=once)


def refresh_message() -> Message:
    """Refresh all search documents whose `document_due_at` is set."""
    return Message("bookmarks.refresh_due_documents", timeout_seconds=600, once=True)
