"""Standalone capture run: captures what is due in a process without other threads, then ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from backend.capture.extractor_processes import serve_extraction
from backend.capture.run_bounds import RunBounds
from backend.capture.runner import CaptureRun
from backend.capture.turns import is_capture_due


def capture_until_idle(app: Flask, seconds: float) -> None:
    """Capture until nothing is due, for at most this time."""
    if is_capture_due():
        with running_capture(app) as run:
            run.wake()
            run.wait_until_idle(seconds)


@contextmanager
def running_capture(app: Flask, bounds: RunBounds | None = None) -> Iterator[CaptureRun]:
    """Start a run with an extraction process that ends with it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            ours.close()
            serve_extraction(theirs)
            os._exit(0)
        theirs.close()
        run = CaptureRun(app, ours, bounds)
        run.start()
        try:
            yield run
        finally:
            run.stop(0)
            ours.close()
            os.waitpid(pid, 0)
