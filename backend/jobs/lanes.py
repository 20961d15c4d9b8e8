"""The worker's lanes: processes of one worker that wait for nothing of each other, each an RQ worker for its queues.

All are forked from one process without threads, so that they share what it has loaded; it does nothing but start again
what ends, and stop all of it when it is told to.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
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

import backend
from backend.database import after_fork
from backend.jobs.worker import LANE_MARK, FuzeWorker, make_worker
from backend.redis.client import connect_redis
from config import Settings

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 30.0
SETTLED_SECONDS = 60.0
# Written to see whether that is allowed.
PROBE_KEY, PROBE_SECONDS = "fuze:worker-probe", 60


@dataclass(frozen=True)
class Lane:
    """A process that serves some queues, one message at a time.

    Where `resident` is set, messages run in the process itself: they only wake what goes on there all the time. It is
    the dotted name of a context manager, which is entered with one end of a socket; `companion`, a function that gets
    the other end, runs in a process of its own.
    """

    name: str
    queues: tuple[str, ...]
    resident: str = ""
    companion: str = ""


LANES = (
    Lane("mail", ("mail",)),
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
    """What goes on in a lane beside its messages."""

    @property
    def is_alive(self) -> bool:
        """Whether it does what it should."""


class ResidentWorker(FuzeWorker):
    """An RQ worker whose messages run in its own process, beside what goes on there."""

    resident: Resident

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the message here: it takes a moment."""
        execution = self.prepare_execution(job)
        self.perform_job(job, queue, execution)
        self.set_state(WorkerStatus.IDLE)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """A sign of life, as long as there is some."""
        if not self.resident.is_alive:
            logger.error("the worker's lane is stuck and starts again")
            raise SystemExit(1)
        super().heartbeat(timeout, pipeline)


def ask_redis(settings: Settings) -> None:
    """Do what every lane begins with, so that a fault of the settings ends the worker and not lane after lane.

    Raises:
        redis.AuthenticationError: the password is wrong.
        redis.NoPermissionError: the user lacks a right.
    """
    with closing(connect_redis(settings)) as connection, connection.pipeline() as pipeline:
        pipeline.hset(PROBE_KEY, "worker", 1)
        pipeline.expire(PROBE_KEY, PROBE_SECONDS)
        try:
            pipeline.execute()
        except redis.AuthenticationError:
            raise
        except (redis.ConnectionError, redis.TimeoutError):
            return  # A Redis that is away is waited for.


def run_worker(settings: Settings) -> None:
    """Serve all lanes until SIGTERM or SIGINT; the messages in hand are finished first."""
    app = backend.create_app(settings)
    for lane in LANES:
        for name in filter(None, (lane.resident, lane.companion)):
            import_attribute(name)  # Once for all.
    gc.freeze()  # What is loaded stays: looking through it would copy its pages into every lane.
    _Supervisor(app, LANES).run()


@dataclass
class _Child:
    """One process of the worker, and when to start it again once it has ended."""

    name: str
    work: Callable[[], None]
    stops_last: bool = False
    pid: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    failures: int = 0


@dataclass
class _Supervisor:
    """The processes of one worker. Everything here runs on the main thread, on which their lives hang."""

    app: Flask
    lanes: tuple[Lane, ...]
    worker_name: str = field(default_factory=lambda: uuid4().hex)
    stop_requests: int = 0

    def __post_init__(self) -> None:
        self.children = [child for lane in self.lanes for child in self._children(lane)]

    def run(self) -> None:
        """Keep all children running until somebody asks for the end, then stop lanes before their companions."""
        with self._woken_by_signals() as woken:
            while not self.stop_requests:
                self._start_due()
                select.select([woken], [], [], self._seconds_until_due())
                _drain(woken)
                self._reap(_plan_restart)
            for stops_last in (False, True):
                self._stop([child for child in self.children if child.stops_last == stops_last], woken)

    def _children(self, lane: Lane) -> Iterator[_Child]:
        ours, theirs = socket.socketpair() if lane.companion else (None, None)
        yield _Child(lane.name, lambda: _serve(self.app, lane, self.worker_name, ours))
        if lane.companion:
            companion = import_attribute(lane.companion)
            yield _Child(f"companion of {lane.name}", lambda: companion(theirs), stops_last=True)

    @contextmanager
    def _woken_by_signals(self) -> Iterator[int]:
        """A descriptor that becomes readable when a child ends or somebody asks for the end."""
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        yield readable

    def _request_stop(self, *_: object) -> None:
        self.stop_requests += 1

    def _start_due(self) -> None:
        for child in self.children:
            if not child.pid and child.due_at <= time.monotonic():
                self._start(child)

    def _start(self, child: _Child) -> None:
        child.started_at = time.monotonic()
        signals = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # Until it is known who there is to be stopped.
        child.pid = os.fork()
        if child.pid == 0:
            _leave_parent_behind(signals)
            _live(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def _seconds_until_due(self) -> float | None:
        waiting = [child.due_at for child in self.children if not child.pid]
        return max(min(waiting) - time.monotonic(), 0) if waiting else None

    def _reap(self, plan: Callable[[_Child, int], None]) -> None:
        for child in self.children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.pid = 0
                    plan(child, os.waitstatus_to_exitcode(status))

    def _stop(self, children: list[_Child], woken: int) -> None:
        """Ask, and wait until all have ended: whoever asked has their own patience. Asked again, ask again."""
        told = 0
        while any(child.pid for child in children):
            if told < self.stop_requests:
                told = self.stop_requests
                for child in children:
                    if child.pid:
                        os.kill(child.pid, signal.SIGTERM)
            select.select([woken], [], [], None)
            _drain(woken)
            self._reap(lambda child, code: None)


def _plan_restart(child: _Child, code: int) -> None:
    if time.monotonic() - child.started_at > SETTLED_SECONDS:
        child.failures = 0
    delay = min(FIRST_DELAY_SECONDS * 2**child.failures, LONGEST_DELAY_SECONDS) if code else 0.0
    child.failures += 1 if code else 0
    child.due_at = time.monotonic() + delay
    if code:
        logger.warning("worker: {} ended with {}, starting it again in {:g} s", child.name, code, delay)


def _leave_parent_behind(blocked: tuple[int, ...]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
    after_fork()


def _live(child: _Child) -> None:
    """Runs in the fork, and never returns."""
    code = 1
    try:
        child.work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        logger.opt(exception=error).error("worker: {} failed", child.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(app: Flask, lane: Lane, worker_name: str, ours: socket.socket | None) -> None:
    """A lane: an RQ worker for its queues, until SIGTERM."""
    # A lane that was killed is still known to Redis by its name: the next one has another.
    name = LANE_MARK.join((worker_name, lane.name, uuid4().hex[:8]))
    with app.app_context(), _resident(lane, ours) as resident:
        worker: Any = make_worker(lane.queues, ResidentWorker if resident else FuzeWorker, name=name)
        worker.resident = resident
        worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)


def _resident(lane: Lane, ours: socket.socket | None) -> AbstractContextManager[Any]:
    found: AbstractContextManager[Any] = import_attribute(lane.resident)(ours) if lane.resident else nullcontext()
    return found


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            continue
    except BlockingIOError:
        return
