"""What the worker does for bookmarks. Thin: load by id, call a service; safe to run twice."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from loguru import logger
from sqlalchemy import func, select, text

from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embedding_provider
from backend.bookmarks.messages import (
    CAPTURE_TIMEOUT_SECONDS,
    capture_message,
    embed_message,
    refresh_message,
    statistics_message,
)
from backend.bookmarks.models import Bookmark
from backend.bookmarks.search_documents import index_stored_pages, refresh_documents
from backend.capture.runner import CaptureRun, limit_arenas, read_until_idle
from backend.capture.service import capture_state
from backend.capture.turns import is_capture_due
from backend.extensions import application, current_settings, db, in_batches
from backend.http.response_cache.invalidation import announce_change, announce_change_of_everything
from backend.index.embedding_rebuild import ensure_index, remove_superseded
from backend.index.embeddings import embed_next_batch, is_embedding_due
from backend.index.statistics import changed_organizations, refresh_statistics
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, RetryLater, durable_job
from backend.text.terms import UNMARKED

# Where the run of this process is found, if it has one.
RUN = "captures"
# So long the pages under way may take to end when the worker stops, below the 30 s that `up` gives it.
STOP_SECONDS = 10.0
# How often a job looks for itself how its capture goes on.
WATCH_SECONDS = 60.0
# Then what waits on other queues has its turn.
EMBED_SLICE_SECONDS = 60
REFRESH_BATCH = 50

CLAIM_DOCUMENTS = text("""
    UPDATE bookmarks SET document_due_at = NULL
     WHERE id IN (SELECT id FROM bookmarks WHERE document_due_at <= now()
                   ORDER BY document_due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
# Once no document of an organization is due, all its stems name their language.
STOP_ASKING_UNMARKED = text("""
    DELETE FROM search_languages l WHERE l.language = :marker AND NOT EXISTS (
        SELECT 1 FROM bookmarks b WHERE b.organization_id = l.organization_id AND b.document_due_at IS NOT NULL)
""")
PURGE_TRASH = text("""
    DELETE FROM bookmarks WHERE id IN (
        SELECT id FROM bookmarks WHERE deleted_at < now() - make_interval(days => :days) LIMIT 1000)
""")


@job("bookmarks.read_due_pages")
def read_due_pages() -> None:
    """Read the pages that are due: wakes the run of this process, or without one reads until nothing is due."""
    run: CaptureRun | None = current_app.extensions.get(RUN)
    if run is not None:
        run.wake()
    else:
        read_until_idle(application(), CAPTURE_TIMEOUT_SECONDS * 0.8)


@contextmanager
def serve_captures(lines: socket.socket) -> Iterator[CaptureRun]:
    """The run of the lane that captures: begins with what is due, and lets go of what is under way at the end.

    Args:
        lines: leads to `serve_extraction`, which runs in a process of its own.
    """
    limit_arenas()
    app = application()
    run = app.extensions[RUN] = CaptureRun(app, lines)
    run.start()
    run.wake()
    try:
        yield run
    finally:
        run.stop(STOP_SECONDS)
        del app.extensions[RUN]


@job("bookmarks.capture_bookmark")
def capture_bookmark(bookmark_id: int) -> None:
    """Wake what reads pages: a message from before an update, for one of those that are due."""
    send([capture_message()])


@job("bookmarks.run_capture_job")
@durable_job
def run_capture_job(job: ClaimedJob) -> dict[str, Any]:
    """Look how a capture went that a person watches, where its end did not say so: its bookmark was deleted."""
    outcome = capture_state(job.arguments["bookmark_id"])
    if outcome.status in ("pending", "busy"):
        send([capture_message()])
        raise RetryLater(max(outcome.retry_seconds, WATCH_SECONDS))
    if outcome.status in ("failed", "gone"):
        raise JobFailed(outcome.reason or "The bookmark was deleted.")
    return {"status": outcome.status, "reason": outcome.reason}


@job("bookmarks.embed_bookmarks")
def embed_bookmarks() -> None:
    """Make vectors until none is due, or until the time of this message is nearly up."""
    end = time.monotonic() + EMBED_SLICE_SECONDS
    if current_settings().EMBEDDING_PROVIDER == "none" or not is_embedding_due():
        return
    try:
        provider = embedding_provider(interactive=False)
        ensure_index(provider.dimension)
        while embed_next_batch(provider) and time.monotonic() < end:
            continue
    except EmbeddingsUnavailable as fault:
        logger.warning("embedding put off: {}", fault.reason)
        return
    if is_embedding_due():
        send([embed_message()])


@job("bookmarks.refresh_due_documents")
def refresh_due_documents() -> None:
    """Write search documents anew, and what is stored of their pages, until none is due."""
    while ids := list(db.session.scalars(CLAIM_DOCUMENTS, {"batch": REFRESH_BATCH})):
        index_stored_pages(ids)
        # Of texts that take long, some are due again at once.
        rows = refresh_documents(ids).values()
        db.session.commit()
        announce_change({row.organization_id for row in rows})
    db.session.execute(STOP_ASKING_UNMARKED, {"marker": UNMARKED})
    db.session.commit()


@job("bookmarks.refresh_changed_statistics")
def refresh_changed_statistics() -> None:
    """Count anew what ranking counts with, for every organization whose documents have changed enough."""
    for organization_id in changed_organizations():
        refresh_statistics(organization_id)


@job("bookmarks.resend_due_work")
def resend_due_work() -> None:
    """Send again what is due and has no message: after a lost queue, a killed worker, a wait that is over."""
    messages = [capture_message()] if is_capture_due() else []
    if current_settings().EMBEDDING_PROVIDER != "none" and is_embedding_due():
        messages.append(embed_message())
    if db.session.scalar(select(Bookmark.id).where(Bookmark.document_due_at <= func.now()).limit(1)):
        messages.append(refresh_message())
    if changed_organizations():
        messages.append(statistics_message())
    send(messages)


@job("bookmarks.purge_trash")
def purge_trash() -> None:
    """Delete for good what has lain in the trash longer than its time."""
    if sum(in_batches(PURGE_TRASH, {"days": current_settings().TRASH_RETENTION_DAYS})):
        announce_change_of_everything()


@job("bookmarks.remove_superseded_vectors")
def remove_superseded_vectors() -> None:
    """Delete vectors of earlier models where the move to the present one is complete."""
    settings = current_settings()
    if settings.EMBEDDING_PROVIDER != "none":
        remove_superseded(settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION, only_older=True)
