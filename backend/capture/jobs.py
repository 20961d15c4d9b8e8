"""Jobs of the worker for captures. Thin: load by id, call a service; safe to run twice."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app

from backend.bookmarks.messages import CAPTURE_TIMEOUT_SECONDS, capture_message
from backend.capture.link_checks.checking import check_due_links
from backend.capture.link_checks.service import schedule_checks
from backend.capture.runner import CaptureRun, limit_arenas, read_until_idle
from backend.capture.service import capture_state
from backend.capture.turns import is_capture_due
from backend.extensions import application
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, RetryLater, durable_job

# Where the run of this process is found, if it has one.
RUN = "captures"
# So long the pages under way may take to end when the worker stops, below the 30 s that `up` gives it.
STOP_SECONDS = 10.0
# How often a job looks for itself how its capture goes on.
WATCH_SECONDS = 60.0


@job("capture.read_due_pages")
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


@job("capture.capture_bookmark")
def capture_bookmark(bookmark_id: int) -> None:
    """Wake what reads pages: a message from before an update, for one of those that are due."""
    send([capture_message()])


@job("capture.run_capture_job")
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


@job("capture.resend_due_pages")
def resend_due_pages() -> None:
    """Wake the reader of pages if one is due: after a lost queue, a killed worker, or a wait that is over."""
    if is_capture_due():
        send([capture_message()])


@job("capture.check_links")
def check_links() -> None:
    """Check links that are due, where the settings ask for it."""
    check_due_links(application())


@job("capture.schedule_link_checks")
def schedule_link_checks() -> None:
    """Schedule the first check of what was captured since yesterday."""
    schedule_checks()
