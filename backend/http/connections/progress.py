"""Whether a transfer goes on."""

from __future__ import annotations

from time import monotonic


class Progress:
    """Watches a transfer: in each span of so many seconds, so many bytes must move."""

    def __init__(self, seconds: float, least_bytes: float, total: int = 0) -> None:
        """Begin a span now, with `total` bytes moved before it."""
        self._seconds, self._least_bytes = seconds, least_bytes
        self._total, self._since = total, monotonic()

    def has_stalled(self, total: int) -> bool:
        """Tell whether too little has moved in a span that has ended; `total` is all that has moved so far."""
        now = monotonic()
        if now - self._since < self._seconds:
            return False
        moved, self._total, self._since = total - self._total, total, now
        return moved < self._least_bytes
