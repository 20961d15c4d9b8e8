"""What web server, workers and scheduler have in common, loaded once: `up` forks them and they share it."""

from __future__ import annotations

import gc

import gunicorn.app.wsgiapp
from sqlalchemy.orm import configure_mappers

import backend.app
import backend.cli.scheduler
import backend.cli.worker
import backend.http.gunicorn_worker
from backend.jobs.lanes import load_lanes

MODULES = (gunicorn.app.wsgiapp, backend.app, backend.cli.scheduler, backend.cli.worker, backend.http.gunicorn_worker)


def load_application() -> None:
    """Load what the modules need only when they run, and take it all out of garbage collection.

    A collection would copy the shared pages into each process.
    """
    load_lanes()
    configure_mappers()
    gc.collect()
    gc.freeze()
