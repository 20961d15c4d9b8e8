"""Limits that a process keeps for itself while Redis is away: the `limits` library's sliding counters."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from backend.http.rate_limits.windows import Limits, Verdict


class MemoryWindows:
    """Three windows checked together, counted by this process alone. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, keys: Sequence[str], limits: Limits, cost: int) -> Verdict:
        """Count a request in all windows of all keys if it may pass, in none if it may not."""
        items: list[RateLimitItem] = [
            RateLimitItemPerMinute(limits[0]),
            RateLimitItemPerHour(limits[1]),
            RateLimitItemPerDay(limits[2]),
        ]
        every = [(item, key) for item in items for key in keys]
        with self._lock:
            full = [(item, key) for item, key in every if not self._counter.test(item, key, cost=cost)]
            for item, key in every:
                if not full:
                    self._counter.hit(item, key, cost=cost)
            stats = {(item, key): self._counter.get_window_stats(item, key) for item, key in every}
        waits = [stats[one].reset_time - time.time() for one in full]
        minute, hour, day = (max(0, min(stats[item, key].remaining for key in keys)) for item in items)
        return Verdict(not full, limits, (minute, hour, day), max(waits, default=0.0))
