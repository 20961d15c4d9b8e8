"""Worker lanes: independent processes of one worker, each an RQ worker for its own queues.

All lanes are forked from one process without threads, so that they share what it has loaded.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import redis
from flask import Flask
from loguru import logger
from redis.client import Pipeline
from rq import Queue
from rq.job import Job
from rq.utils import import_attribute
from rq.worker import DequeueStrategy, WorkerStatus
from sqlalchemy.orm import configure_mappers

import backend
from backend.jobs.registry import load_jobs
from backend.jobs.supervisor import WorkerProcess, WorkerSupervisor
from backend.jobs.worker import LANE_MARK, FuzeWorker, make_worker
from backend.observability.flushing import flush_telemetry
from backend.observability.stdlib_logging import begin_process
from backend.redis.client import connect_redis
from backend.redis.probe import probe_redis
from config import Settings


@dataclass(frozen=True)
class Lane:
    """One worker process that serves some queues, one message at a time.

    With `resident`, messages run in the process itself and only wake a service that runs there all the time. `resident`
    is the dotted name of a context manager, entered with one end of a socket; `companion`, a function that gets the
    other end, runs in a process of its own.
    """

    name: str
    queues: tuple[str, ...]
    resident: str = ""
    companion: str = ""


LANES = (
    Lane("mail", ("mail", "bulk_mail")),
    Lane("maintenance", ("maintenance",)),
    Lane("work", ("interactive", "bulk")),
    Lane(
        "capture",
        ("capture",),
        resident="backend.capture.jobs.serve_captures",
        companion="backend.capture.extractor_processes.serve_extraction",
    ),
)
LANE_NAMES = frozenset(lane.name for lane in LANES)


class Resident(Protocol):
    """A service that runs in a lane beside its messages."""

    @property
    def is_alive(self) -> bool:
        """Whether the service still makes progress."""


class ResidentWorker(FuzeWorker):
    """RQ worker whose messages run in its own process, beside a resident service."""

    resident: Resident

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the message in this process: it takes milliseconds."""
        execution = self.prepare_execution(job)
        self.perform_job(job, queue, execution)
        self.set_state(WorkerStatus.IDLE)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Send a heartbeat while the resident service is alive; otherwise exit."""
        if not self.resident.is_alive:
            logger.error("the worker's lane is stuck and starts again")
            raise SystemExit(1)
        super().heartbeat(timeout, pipeline)


def check_redis_access(settings: Settings) -> None:
    """Probe Redis once, so that wrong settings end the worker at the start and not lane after lane.

    Raises:
        redis.AuthenticationError: the password is wrong.
        redis.NoPermissionError: the user lacks a right.
    """
    with closing(connect_redis(settings)) as client:
        try:
            probe_redis(client)
        except redis.AuthenticationError:
            raise
        except (redis.ConnectionError, redis.TimeoutError):
            return  # The lanes wait for a Redis that is away.


def run_worker(settings: Settings) -> None:
    """Serve all lanes until SIGTERM or SIGINT; messages in progress are finished first."""
    begin_process("worker")
    app = backend.create_app(settings)
    load_lanes()
    configure_mappers()
    gc.freeze()  # A garbage collection would copy the loaded pages into every lane.
    worker_name = uuid4().hex
    WorkerSupervisor([child for lane in LANES for child in _children(app, lane, worker_name)]).run()


def load_lanes() -> None:
    """Import once what the lanes run, before they are forked."""
    for lane in LANES:
        for name in filter(None, (lane.resident, lane.companion)):
            import_attribute(name)
    load_jobs()


def _children(app: Flask, lane: Lane, worker_name: str) -> Iterator[WorkerProcess]:
    ours, theirs = socket.socketpair() if lane.companion else (None, None)
    yield WorkerProcess(lane.name, lambda: _serve(app, lane, worker_name, ours))
    if lane.companion:
        companion = import_attribute(lane.companion)
        yield WorkerProcess(f"companion of {lane.name}", lambda: _accompany(lane, companion, theirs), stops_last=True)


def _accompany(lane: Lane, companion: Callable[[socket.socket | None], None], theirs: socket.socket | None) -> None:
    begin_process(f"worker.{lane.name}.companion")
    companion(theirs)


def _serve(app: Flask, lane: Lane, worker_name: str, ours: socket.socket | None) -> None:
    """Run a lane: an RQ worker for its queues, until SIGTERM."""
    begin_process(f"worker.{lane.name}")
    # Redis still lists a killed lane under its name, so the next one takes a new name.
    name = LANE_MARK.join((worker_name, lane.name, uuid4().hex[:8]))
    with app.app_context(), _resident(lane, ours) as resident:
        worker: Any = make_worker(lane.queues, ResidentWorker if resident else FuzeWorker, name=name)
        worker.resident = resident
        try:
            worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
        finally:
            flush_telemetry()


def _resident(lane: Lane, ours: socket.socket | None) -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = import_attribute(lane.resident)(ours) if lane.resident else nullcontext()
    return context
