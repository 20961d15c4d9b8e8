"""Queue messages that wake the worker for bookmarks."""

from __future__ import annotations

from backend.jobs.queue import Message

# In the capture lane the message only wakes the run; elsewhere it captures until nothing is due or this time is up.
CAPTURE_TIMEOUT_SECONDS = 600


def capture_message(*, once: bool = True) -> Message:
    """Build the message that captures due pages. Without `once` it costs one round trip less: for saves of a single
    link."""
    return Message("capture.read_due_pages", queue="capture", timeout_seconds=CAPTURE_TIMEOUT_SECONDS, once=once)


def refresh_message() -> Message:
    """Build the message that refreshes all search documents whose `document_due_at` is set."""
    return Message("bookmarks.refresh_due_documents", timeout_seconds=600, once=True)
