"""The one deadline that everything in an exchange shares."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.outbound.failures import fetch_timeout

# How often somebody who waits is asked whether to go on waiting.
HEARTBEAT_SECONDS = 2.0


class Deadline:
    """A moment, `seconds` after it was made, past which nothing of an exchange goes on.

    `beat` is called about every two seconds while an answer is waited for, and in pauses; what it raises ends them.
    """

    def __init__(self, seconds: float, beat: Callable[[], None] | None = None) -> None:
        self._end = time.monotonic() + seconds
        self._beat = beat

    def remaining(self) -> float:
        """Seconds left, always more than zero.

        Raises:
            FetchError: none are left.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise fetch_timeout()
        return seconds

    @property
    def has_passed(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._end

    @property
    def longest_wait(self) -> float:
        """For how many seconds to wait before `beat` is to be called, or all is over.

        Raises:
            FetchError: no time is left.
        """
        return self.remaining() if self._beat is None else min(self.remaining(), HEARTBEAT_SECONDS)

    def beat(self) -> None:
        """Say that the wait goes on."""
        if self._beat is not None:
            self._beat()

    def pause(self, seconds: float) -> None:
        """Wait for so long, and no longer than is left.

        Raises:
            FetchError: no time is left.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.longest_wait))
            self.beat()
