"""The strategy `sliding-windows` of Flask-Limiter: all windows of an item together, in Redis or in memory."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence

from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import STRATEGIES, RateLimiter
from limits.util import WindowStats

from backend.http.rate_limits.charge import request_limits
from backend.http.rate_limits.item import WindowsItem
from backend.http.rate_limits.memory import MemoryWindows
from backend.http.rate_limits.storage import ResilientRedisStorage
from backend.http.rate_limits.windows import Verdict

STRATEGY = "sliding-windows"


class SlidingWindows(RateLimiter):
    """What the strategy does wherever its counts are stored."""

    @abstractmethod
    def count(self, item: WindowsItem, names: Sequence[str], cost: int, refund: int = 0) -> Verdict:
        """Count a request in all windows of all names if it may pass, in none if it may not."""

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Count a request; return whether it passes. The verdict on the current request is stored for its headers."""
        windows = _windows_of(item)
        verdict = self._verdict(windows, identifiers, cost)
        limits = request_limits()
        if limits is not None:
            limits.verdict = verdict
        return verdict.passes

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Return whether a request would pass. Nothing is counted."""
        return min(self._peek(item, identifiers).remaining) >= cost

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """Return what remains in the fullest window, and until when to wait if nothing does."""
        verdict = self._peek(item, identifiers)
        return WindowStats(time.time() + verdict.retry_after, min(verdict.remaining))

    def _verdict(self, item: WindowsItem, identifiers: tuple[str, ...], cost: int) -> Verdict:
        return self.count(item, [item.key_for(*identifiers)], cost)

    def _peek(self, item: RateLimitItem, identifiers: tuple[str, ...]) -> Verdict:
        windows = _windows_of(item)
        return self.count(windows, [windows.key_for(*identifiers)], 0)


class WindowsInRedis(SlidingWindows):
    """Takes the verdict on the current request from the reply to its admission; counts others in a round trip."""

    def __init__(self, storage: ResilientRedisStorage) -> None:
        super().__init__(storage)
        self._storage = storage

    def count(self, item: WindowsItem, names: Sequence[str], cost: int, refund: int = 0) -> Verdict:
        """Count a request in all windows of all names if it may pass, in none if it may not. One round trip.

        Raises:
            StorageError: Redis is away.
        """
        return self._storage.check_windows(names, item.limits, cost, refund)

    def _verdict(self, item: WindowsItem, identifiers: tuple[str, ...], cost: int) -> Verdict:
        limits = request_limits()
        if limits is not None and limits.is_about(item, identifiers):
            verdict = limits.charge.decode(limits.reply)
            if verdict is not None:
                return verdict
        return super()._verdict(item, identifiers, cost)


class WindowsInMemory(SlidingWindows):
    """Counts in this process alone, while Redis is away."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._windows = MemoryWindows(storage)

    def count(self, item: WindowsItem, names: Sequence[str], cost: int, refund: int = 0) -> Verdict:
        """Count a request in all windows of all names if it may pass, in none if it may not."""
        return self._windows.check(item, names, cost)


def strategy_over(storage: Storage) -> SlidingWindows:
    """Return the strategy for a storage: Flask-Limiter makes one over Redis, and one over memory to fall back on."""
    if isinstance(storage, ResilientRedisStorage):
        return WindowsInRedis(storage)
    return WindowsInMemory(storage)


def _windows_of(item: RateLimitItem) -> WindowsItem:
    if not isinstance(item, WindowsItem):
        raise TypeError(f"{STRATEGY} counts minute, hour and day together, not {item}")
    return item


# The registry is typed for the library's own classes, and calls what it holds.
STRATEGIES[STRATEGY] = strategy_over  # type: ignore[assignment]
