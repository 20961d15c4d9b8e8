"""CPU time of a piece of work, whatever else runs on the machine and in the process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from coverage import Coverage

# With it coverage measures the processes that a test starts.
OF_PROCESSES = "COVERAGE_PROCESS_CONFIG"


def least_cpu_seconds(work: Callable[[], object], runs: int = 3) -> float:
    """Return the least CPU time of some runs in this thread.

    The objects that other tests have left are kept from the garbage collector, which would go through all of them.
    """
    gc.freeze()
    try:
        return min(_cpu_seconds(work) for _ in range(runs))
    finally:
        gc.unfreeze()


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


@contextmanager
def untraced() -> Iterator[None]:
    """Run without the tracing of coverage: millions of lines take five times as long, and other tests cover them.

    Processes that are started meanwhile run without it too.
    """
    of_processes, stopped, exit_process = os.environ.pop(OF_PROCESSES, None), [], os._exit
    # A process of pytest-xdist has two: its own, and that of any process that is started under coverage.
    while (measured := Coverage.current()) is not None:
        measured.stop()
        stopped.append(measured)
    try:
        yield
    finally:
        if of_processes is not None:
            os.environ[OF_PROCESSES] = of_processes
        for measured in reversed(stopped):
            measured.start()
        # Each start wraps it once more in what saves the measurements, which takes a fork seconds in the end.
        os._exit = exit_process
