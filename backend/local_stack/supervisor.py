"""ServiceSupervisor: keeps child processes running, prints their output by lines, and stops them in order.

Why not an existing supervisor: docs/decisions/0001-own-supervisor.md.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backend.local_stack.forks import ForkedProcess, fork_module
from backend.local_stack.processes import kill_session, spawn
from backend.local_stack.stack_log import PrintLine, text_printer
from backend.observability.line_stream import STANDARD_OUTPUT, LineStream

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0
HURRIED_SECONDS = 1.0
SAME_REQUEST_SECONDS = 1.0  # `timeout`, and some shells and editors, signal a process and then its group.
TICK_SECONDS = 0.1
CHUNK_BYTES = 65536
GATHER_SECONDS = 0.02


class StopRequested(Exception):
    """A stop was requested: by Ctrl-C, SIGTERM, or a closed terminal."""


class ServiceFailed(Exception):
    """A service ended, or did not get ready, while the others waited for it; the message is one line."""


@dataclass
class Service:
    """Program to keep running. After `stop_seconds` it is killed.

    With `is_forked`, the command is `python -m module argument…`, and the module runs in a fork of this process.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] | None = None
    user: int | None = None
    cwd: Path | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0
    death_signal: int = signal.SIGKILL
    before_start: Callable[[], object] | None = None
    is_forked: bool = False


@dataclass
class ChildProcess:
    """Started service: its process, and the time of its restart once that has ended."""

    service: Service
    process: subprocess.Popen[bytes] | ForkedProcess | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0
    half_line: bytes = b""


class ServiceSupervisor:
    """ServiceSupervisor of all children. It runs on the main thread: the children die with it."""

    def __init__(self, printed: PrintLine | None = None) -> None:
        """Start nothing yet; `printed` makes the form of a service's line."""
        self.children: dict[str, ChildProcess] = {}
        self.stop_requests = 0
        self._requested_at = 0.0
        self._printed = printed or text_printer(9)
        self._terminal = LineStream(lambda text: f"{self._printed('fuze', text)}\n", STANDARD_OUTPUT)
        self._outputs = selectors.DefaultSelector()

    def listen_to_signals(self) -> None:
        """Handle Ctrl-C, SIGTERM and a closed terminal as requests to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # As nohup and a shell's `&` leave it.
                signal.signal(number, self._request_stop)

    def close(self) -> None:
        """Release the resources of the loop."""
        self._outputs.close()
        self._terminal.close()

    def say(self, text: str, name: str = "fuze") -> None:
        """Print lines under a name; a terminal that is closed, or that nobody reads, stops nothing."""
        for line in text.splitlines():
            self._terminal.write(f"{self._printed(name, line)}\n")

    def start(self, service: Service) -> None:
        """Start a service, to be restarted whenever it ends."""
        child = self.children[service.name] = ChildProcess(service)
        self._launch(child)

    def run(self, service: Service) -> int:
        """Run a program to its end; return its exit code."""
        self.start(service)
        child = self.children[service.name]
        while child.process is not None and child.process.poll() is None:
            self._tick()
            self._raise_when_stopping()
        code = self._reap(child)
        del self.children[service.name]
        return code

    def wait_until(self, is_ready: Callable[[], bool], name: str, timeout: float) -> None:
        """Wait for a condition while every service lives.

        Raises:
            ServiceFailed: a service ended, or `timeout` seconds went by.
            StopRequested: a stop was requested.
        """
        deadline = time.monotonic() + timeout
        while not is_ready():
            self._tick()
            self._raise_when_stopping()
            for child in self._ended():
                raise ServiceFailed(f"{child.service.name} {_describe_exit(self._reap(child))} while starting")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{name} is not ready after {timeout:g} s")

    def watch(self) -> None:
        """Restart services that end, until a stop is requested."""
        while not self.stop_requests:
            self._tick()
            for child in self._ended():
                self._plan_restart(child)
            for child in self.children.values():
                if child.process is None and time.monotonic() >= child.due_at:
                    self._relaunch(child)

    def stop(self, names: Iterable[str]) -> None:
        """Stop some services together: signal, wait `stop_seconds` of each, kill. A second Ctrl-C shortens the wait."""
        children = [self.children.pop(name) for name in names if name in self.children]
        started = time.monotonic()
        for child in children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.service.stop_signal)
        while alive := [child for child in children if child.process and child.process.poll() is None]:
            self._tick()
            waited = time.monotonic() - started
            for child in alive:
                if waited > self._stop_seconds(child):
                    self.say(f"{child.service.name} does not end, killing it")
                    self._reap(child)
        for child in children:
            self._reap(child)

    def _stop_seconds(self, child: ChildProcess) -> float:
        hurried = self.stop_requests > 1
        return min(child.service.stop_seconds, HURRIED_SECONDS) if hurried else child.service.stop_seconds

    def _request_stop(self, *_: object) -> None:
        now = time.monotonic()
        if not self.stop_requests or now - self._requested_at > SAME_REQUEST_SECONDS:
            self.stop_requests += 1
            self._requested_at = now

    def _raise_when_stopping(self) -> None:
        if self.stop_requests:
            raise StopRequested

    def _launch(self, child: ChildProcess) -> None:
        service = child.service
        if service.before_start is not None:
            service.before_start()
        child.process = _start(service)
        child.started_at = time.monotonic()
        self._outputs.register(child.process.stdout, selectors.EVENT_READ, child)  # type: ignore[arg-type]

    def _relaunch(self, child: ChildProcess) -> None:
        try:
            self._launch(child)
        except Exception as error:  # Any fault may be gone at the next try.
            child.started_at = time.monotonic()
            self._schedule_restart(child, f"cannot start ({error})")

    def _ended(self) -> list[ChildProcess]:
        return [child for child in self.children.values() if child.process and child.process.poll() is not None]

    def _plan_restart(self, child: ChildProcess) -> None:
        code = self._reap(child)
        if time.monotonic() - child.started_at > SETTLED_SECONDS:
            child.failures = 0
        self._schedule_restart(child, _describe_exit(code))

    def _schedule_restart(self, child: ChildProcess, reason: str) -> None:
        delay = min(FIRST_DELAY_SECONDS * 2**child.failures, LONGEST_DELAY_SECONDS)
        child.failures += 1
        child.due_at = time.monotonic() + delay
        self.say(f"{child.service.name} {reason}, starting it again in {delay:g} s")

    def _reap(self, child: ChildProcess) -> int:
        """Kill what is left of a child, print its last output; return its exit code."""
        process, child.process = child.process, None
        if process is None:
            return 0
        kill_session(process.pid)
        code = process.wait()
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)  # A descendant may still hold the other end.
        with suppress(BlockingIOError):
            while chunk := os.read(process.stdout.fileno(), CHUNK_BYTES):
                self._print_chunk(child, chunk)
        if child.half_line:
            self._print_chunk(child, b"\n")
        with suppress(KeyError):  # Unregistered at its end of output.
            self._outputs.unregister(process.stdout)
        process.stdout.close()
        return code

    def _tick(self) -> None:
        """Print the output of the children, waiting a moment for it."""
        ready = self._outputs.select(TICK_SECONDS)
        if ready:
            time.sleep(GATHER_SECONDS)  # Under load: many lines at once cost little more than one.
        for key, _ in ready:
            if chunk := os.read(key.fd, CHUNK_BYTES):
                self._print_chunk(key.data, chunk)
            else:
                self._outputs.unregister(key.fileobj)
        if not self._outputs.get_map():
            time.sleep(TICK_SECONDS)

    def _print_chunk(self, child: ChildProcess, chunk: bytes) -> None:
        *lines, child.half_line = (child.half_line + chunk).split(b"\n")
        for line in lines:
            self.say(line.decode(errors="replace"), child.service.name)


def _start(service: Service) -> subprocess.Popen[bytes] | ForkedProcess:
    if service.is_forked:
        return fork_module(service.command, env=service.env or {}, death_signal=service.death_signal)
    return spawn(
        service.command,
        env=service.env,
        user=service.user,
        cwd=service.cwd,
        output=subprocess.PIPE,
        death_signal=service.death_signal,
    )


def _describe_exit(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
