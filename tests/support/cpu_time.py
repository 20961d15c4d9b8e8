"""CPU time of a piece of work, whatever else runs on the machine and in the process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from coverage import Coverage


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
    """Run without the tracing of coverage: millions of lines take five times as long, and other tests cover them."""
    measured = Coverage.current()
    if measured is not None:
        measured.stop()
    try:
        yield
    finally:
        if measured is not None:
            measured.start()
