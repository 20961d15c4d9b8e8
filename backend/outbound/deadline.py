"""Deadline: the one time limit that all steps of an exchange share."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.outbound.failures import fetch_timeout

# Longest time between two heartbeats.
HEARTBEAT_SECONDS = 2.0


class Deadline:
    """Time limit of an exchange, `seconds` after it was made.

    `beat` is the heartbeat: called about every two seconds while the exchange waits; what it raises ends the wait.
    """

    def __init__(self, seconds: float, beat: Callable[[], None] | None = None) -> None:
        self._end = time.monotonic() + seconds
        self._beat = beat

    def remaining(self) -> float:
        """Return the seconds left, always more than zero.

        Raises:
            FetchError: none are left.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise fetch_timeout()
        return seconds

    @property
    def has_passed(self) -> bool:
        """Tell whether no time is left."""
        return time.monotonic() >= self._end

    @property
    def longest_wait(self) -> float:
        """Return the longest wait in seconds: until the next heartbeat, or the deadline.

        Raises:
            FetchError: no time is left.
        """
        return self.remaining() if self._beat is None else min(self.remaining(), HEARTBEAT_SECONDS)

    def beat(self) -> None:
        """Send a heartbeat."""
        if self._beat is not None:
            self._beat()

    def pause(self, seconds: float) -> None:
        """Sleep, with heartbeats, no longer than the time left.

        Raises:
            FetchError: no time is left.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.longest_wait))
            self.beat()
