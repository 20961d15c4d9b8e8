"""WorkerSupervisor of a worker's child processes: starts them, restarts them with back-off, and stops them in order."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loguru import logger

from backend.database import after_fork

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 30.0
SETTLED_SECONDS = 60.0


@dataclass
class WorkerProcess:
    """One child process, and when to restart it after its end."""

    name: str
    work: Callable[[], None]
    stops_last: bool = False
    pid: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    failures: int = 0


@dataclass
class WorkerSupervisor:
    """WorkerSupervisor of a worker's child processes. It runs on the main thread, which receives the signals."""

    children: list[WorkerProcess]
    stop_requests: int = 0

    def run(self) -> None:
        """Keep all children running until a stop signal, then stop the lanes before their companions."""
        with self._woken_by_signals() as woken:
            while not self.stop_requests:
                self._start_due()
                select.select([woken], [], [], self._seconds_until_due())
                _drain(woken)
                self._reap(_plan_restart)
            for stops_last in (False, True):
                self._stop([child for child in self.children if child.stops_last == stops_last], woken)

    @contextmanager
    def _woken_by_signals(self) -> Iterator[int]:
        """Yield a descriptor that becomes readable when a child ends or a stop signal arrives."""
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

    def _start(self, child: WorkerProcess) -> None:
        child.started_at = time.monotonic()
        signals = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # The signal handler must know the pid of the child first.
        child.pid = os.fork()
        if child.pid == 0:
            _reset_signals(signals)
            _run_child(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def _seconds_until_due(self) -> float | None:
        waiting = [child.due_at for child in self.children if not child.pid]
        return max(min(waiting) - time.monotonic(), 0) if waiting else None

    def _reap(self, plan: Callable[[WorkerProcess, int], None]) -> None:
        for child in self.children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.pid = 0
                    plan(child, os.waitstatus_to_exitcode(status))

    def _stop(self, children: list[WorkerProcess], woken: int) -> None:
        """Send SIGTERM and wait until all children have ended; a second stop signal is passed on again."""
        forwarded = 0
        while any(child.pid for child in children):
            if forwarded < self.stop_requests:
                forwarded = self.stop_requests
                for child in children:
                    if child.pid:
                        os.kill(child.pid, signal.SIGTERM)
            select.select([woken], [], [], None)
            _drain(woken)
            self._reap(lambda child, code: None)


def _plan_restart(child: WorkerProcess, code: int) -> None:
    if time.monotonic() - child.started_at > SETTLED_SECONDS:
        child.failures = 0
    delay = min(FIRST_DELAY_SECONDS * 2**child.failures, LONGEST_DELAY_SECONDS) if code else 0.0
    child.failures += 1 if code else 0
    child.due_at = time.monotonic() + delay
    if code:
        logger.warning("worker: {} ended with {}, starting it again in {:g} s", child.name, code, delay)


def _reset_signals(blocked: tuple[int, ...]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
    after_fork()


def _run_child(child: WorkerProcess) -> None:
    """Run the child's work in the fork; never return."""
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


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            continue
    except BlockingIOError:
        return
