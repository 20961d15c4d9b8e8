"""How many exports one person may have sent at once: each holds a thread of the server as long as its client reads.

Places are counted in Redis, under a lease in case the process dies; while Redis is away each process counts its own.
"""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path

from backend.errors import TooManyRequests
from backend.redis.client import resilient_redis
from backend.redis.resilient import Script

MOST_AT_ONCE = 2
LEASE_MS = 5 * 60 * 1000
RETRY_SECONDS = 15
TAKE = Script(Path(__file__).with_suffix(".lua").read_text())

_lock = threading.Lock()
# By person, until when which stream holds a place.
_taken_here: dict[int, dict[str, float]] = {}


class StreamPlace:
    """One of a person's places, until it is released."""

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id
        self._id = secrets.token_hex(8)

    def take(self) -> None:
        """Take the place, or keep it for longer. One round trip to Redis.

        Raises:
            TooManyRequests: all places of the person are taken.
        """
        if not self._take_here() or self._ask_redis() == 0:
            self._release_here()
            detail = f"You have {MOST_AT_ONCE} exports under way. Wait until one of them has ended."
            raise TooManyRequests(detail, retry_after=RETRY_SECONDS)

    def release(self) -> None:
        """Leave the place to others. One round trip to Redis."""
        self._release_here()
        resilient_redis().execute(lambda: [("ZREM", self._key(), self._id)])

    def _key(self) -> str:
        return resilient_redis().key(f"export-streams:{self._user_id}")

    def _ask_redis(self) -> int | None:
        """Answer 0 where all places are taken, None while Redis is away."""
        answers = resilient_redis().execute(lambda: [TAKE.command([self._key()], self._id, MOST_AT_ONCE, LEASE_MS)])
        return answers[0] if answers else None

    def _take_here(self) -> bool:
        now = time.monotonic()
        with _lock:
            taken = _taken_here.setdefault(self._user_id, {})
            for stream in [stream for stream, until in taken.items() if until < now]:
                del taken[stream]
            if self._id not in taken and len(taken) >= MOST_AT_ONCE:
                return False
            taken[self._id] = now + LEASE_MS / 1000
            return True

    def _release_here(self) -> None:
        with _lock:
            taken = _taken_here.get(self._user_id, {})
            taken.pop(self._id, None)
            if not taken:
                _taken_here.pop(self._user_id, None)
