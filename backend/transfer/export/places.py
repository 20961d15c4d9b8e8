"""How many exports one person may have sent at once: each holds a thread of the server as long as its client reads."""

from __future__ import annotations

from backend.errors import TooManyRequests
from backend.redis.leased_slots import LeasedSlot

MOST_AT_ONCE = 2
LEASE_MS = 5 * 60 * 1000
RETRY_SECONDS = 15


class StreamPlace:
    """One of a person's places, until it is released."""

    def __init__(self, user_id: int) -> None:
        self._slot = LeasedSlot(f"export-streams:{user_id}", MOST_AT_ONCE, LEASE_MS / 1000)

    def take(self) -> None:
        """Take the place, or extend its lease. One round trip to Redis.

        Raises:
            TooManyRequests: all places of the person are taken.
        """
        if not self._slot.acquire():
            detail = f"You have {MOST_AT_ONCE} exports under way. Wait until one of them has ended."
            raise TooManyRequests(detail, retry_after=RETRY_SECONDS)

    def release(self) -> None:
        """Leave the place to others. One round trip to Redis."""
        self._slot.release()
