"""Windows that a process counts for itself while Redis is away, by the sliding counters of `limits`."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from limits.storage import Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from backend.http.rate_limits.item import WindowsItem
from backend.http.rate_limits.windows import Verdict


class MemoryWindows:
    """Three windows checked together. Threads may share it."""

    def __init__(self, storage: Storage) -> None:
        self._lock = threading.Lock()
        self._counter = SlidingWindowCounterRateLimiter(storage)

    def check(self, item: WindowsItem, names: Sequence[str], cost: int) -> Verdict:
        """Count a request in all windows of all names if it may pass, in none if it may not."""
        pairs = [(window, name) for window in item.windows for name in names]
        with self._lock:
            full = [(window, name) for window, name in pairs if not self._counter.test(window, name, cost=cost)]
            for window, name in pairs:
                if not full:
                    self._counter.hit(window, name, cost=cost)
            stats = {(window, name): self._counter.get_window_stats(window, name) for window, name in pairs}
        waits = [stats[pair].reset_time - time.time() for pair in full]
        minute, hour, day = (max(0, min(stats[window, name].remaining for name in names)) for window in item.windows)
        return Verdict(not full, item.limits, (minute, hour, day), max(waits, default=0.0))
