"""Messages about projects and tasks."""

from __future__ import annotations

from backend.jobs.queue import Message


def embed_subjects_message() -> Message:
    """Build the message that embeds due projects and tasks."""
    return Message("recommendations.embed_subjects", queue="bulk", timeout_seconds=600, once=True)
