"""Worker jobs for captures: load by id, call a service. Each is safe to run twice."""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app

from backend.bookmarks.messages import CAPTURE_TIMEOUT_SECONDS, capture_message
from backend.capture.link_checks.checking import check_due_links
from backend.capture.link_checks.service import schedule_checks
from backend.capture.runner import CaptureRun
from backend.capture.service import capture_outcome
from backend.capture.standalone_run import capture_until_idle
from backend.capture.turns import is_capture_due
from backend.extensions import application
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, RetryLater, durable_job

# Key of this process's run in `app.extensions`, if it has one.
RUN = "captures"
# Time for active claims to finish when the worker stops, below the 30 s of `up`.
STOP_SECONDS = 10.0
# Interval at which a job checks its capture itself.
WATCH_SECONDS = 60.0
M_ARENA_MAX = -8  # malloc.h


@job("capture.read_due_pages")
def read_due_pages() -> None:
    """Wake the run of this process, or without one capture until nothing is due."""
    run: CaptureRun | None = current_app.extensions.get(RUN)
    if run is not None:
        run.wake()
    else:
        capture_until_idle(application(), CAPTURE_TIMEOUT_SECONDS * 0.8)


@contextmanager
def serve_captures(lines: socket.socket) -> Iterator[CaptureRun]:
    """Run captures for the capture lane; on exit, release active claims.

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


def limit_arenas() -> None:
    """Limit malloc to two arenas for all threads: with one for each, memory freed in one is unusable in others."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 2)


@job("capture.capture_bookmark")
def capture_bookmark(bookmark_id: int) -> None:
    """Wake the capture run: for messages of an earlier release."""
    send([capture_message()])


@job("capture.run_capture_job")
@durable_job
def run_capture_job(job: ClaimedJob) -> dict[str, Any]:
    """Check the capture that a job watches, where its end did not finish the job: its bookmark was deleted."""
    outcome = capture_outcome(job.arguments["bookmark_id"])
    if outcome.status in ("pending", "busy"):
        send([capture_message()])
        raise RetryLater(max(outcome.retry_seconds, WATCH_SECONDS))
    if outcome.status in ("failed", "gone"):
        raise JobFailed(outcome.reason or "The bookmark was deleted.")
    return {"status": outcome.status, "reason": outcome.reason}


@job("capture.resend_due_pages")
def resend_due_pages() -> None:
    """Wake the capture run if a bookmark is due: after a lost queue, a killed worker, or a delay."""
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
