"""Services that are forks: modules of Python that share the memory of what this process has loaded."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkProcess
from typing import IO

from backend.allocator import bound_arenas
from backend.local_stack.processes import die_with_parent, replace_environment
from backend.local_stack.titles import set_title

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MODULE_OPTION = "-m"


class ForkedProcess:
    """A fork, with the part of `subprocess.Popen` that a supervisor uses."""

    def __init__(self, process: ForkProcess, stdout: IO[bytes]) -> None:
        """Take a process that was started, and the end of the pipe that it writes to."""
        assert process.pid is not None
        self._process, self.pid, self.stdout = process, process.pid, stdout

    def poll(self) -> int | None:
        """Return the exit code, the negated signal if that ended it, None while it runs."""
        return self._process.exitcode

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        self._process.join()
        code = self._process.exitcode
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def fork_module(argv: Sequence[str], *, env: Mapping[str, str], death_signal: int = signal.SIGKILL) -> ForkedProcess:
    """Run `python -m module argument…` in a fork that leads a session, its output joined into `stdout`.

    As `spawn` does it: the fork ends with this process, and inherits no file of it. Call it from the main thread.
    """
    assert argv[1] == MODULE_OPTION
    readable, writable = os.pipe()
    target = (argv, env, writable, os.getpid(), death_signal)
    process = multiprocessing.get_context("fork").Process(target=_run, args=target)
    with _signals_blocked():
        process.start()
    os.close(writable)
    return ForkedProcess(process, os.fdopen(readable, "rb", buffering=0))


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Keep a stop signal from the fork until it has handlers of its own."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _run(argv: Sequence[str], env: Mapping[str, str], output: int, parent: int, death_signal: int) -> None:
    os.setsid()
    die_with_parent(death_signal)
    if os.getppid() != parent:  # The parent died before the line above.
        os._exit(1)
    _write_to(output)
    _reset_signals()
    replace_environment(env)
    bound_arenas()
    set_title(" ".join(("python", *argv[1:])))
    sys.argv = ["", *argv[3:]]
    runpy.run_module(argv[2], run_name="__main__", alter_sys=True)


def _write_to(output: int) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]


def _reset_signals() -> None:
    for number in STOP_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
