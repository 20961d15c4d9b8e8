"""CPU time of a piece of work, whatever else runs on the machine and in the process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from coverage import Coverage

from tests.support.processes import OF_PROCESSES


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
    stopped: list[Coverage] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(OF_PROCESSES, raising=False)
        # Put back: each start wraps it once more in what saves the measurements, which takes a fork seconds in the end.
        patch.setattr(os, "_exit", os._exit)
        # A process of pytest-xdist has two: its own, and that of any process that is started under coverage.
        while (measured := Coverage.current()) is not None:
            measured.stop()
            stopped.append(measured)
        try:
            yield
        finally:
            for measured in reversed(stopped):
                measured.start()
