"""Messages about projects and tasks to the worker."""

from __future__ import annotations

from backend.jobs.queue import Message


def embed_subjects_message() -> Message:
    """Wakes a worker that makes vectors of the projects and tasks that wait for one."""
    return Message("recommendations.embed_subjects", queue="bulk", timeout_seconds=600, once=True)
