"""Queue messages that wake the worker for bookmarks."""

from __future__ import annotations

from backend.jobs.queue import Message

# In the capture lane the message only wakes the run; elsewhere it captures until nothing is due or this time is up.
CAPTURE_TIMEOUT_SECONDS = 600


def capture_message(bookmark_id: int | None = None) -> Message:
    """Build the message that captures due pages.

    For a single bookmark it costs one round trip less, and the log of its capture names the request.
    """
    return Message(
        "capture.read_due_pages",
        queue="capture",
        timeout_seconds=CAPTURE_TIMEOUT_SECONDS,
        once=bookmark_id is None,
        subject=capture_subject(bookmark_id) if bookmark_id is not None else "",
    )


def capture_subject(bookmark_id: int) -> str:
    """Return the name under which the request that asked for a capture is remembered."""
    return f"capture:{bookmark_id}"


def refresh_message() -> Message:
    """Build the message that refreshes all search documents whose `document_due_at` is set."""
    return Message("bookmarks.refresh_due_documents", timeout_seconds=600, once=True)
