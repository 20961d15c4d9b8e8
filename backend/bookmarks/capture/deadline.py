"""The one deadline that everything in a fetch shares."""

from __future__ import annotations

import time

from backend.bookmarks.capture.failures import took_too_long


class Deadline:
    """A moment, `seconds` after it was made, past which nothing of a fetch goes on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always more than zero.

        Raises:
            FetchError: none are left.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise took_too_long()
        return seconds
