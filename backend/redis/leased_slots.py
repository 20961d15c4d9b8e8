"""A bounded number of slots for each subject, such as the streams of a person, counted over all processes.

Slots are counted in Redis, under a lease in case the process dies; while Redis is away each process counts its own.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from backend.errors import TooManyRequests
from backend.redis.client import resilient_redis
from backend.redis.resilient import Command, Script

ACQUIRE = Script(Path(__file__).with_suffix(".lua").read_text())

_lock = threading.Lock()
# By subject, until when which holder has a slot in this process.
_held_here: dict[str, dict[str, float]] = {}


class LeasedSlot:
    """One of the slots of a subject, from `acquire` to `release`."""

    def __init__(self, subject: str, limit: int, lease_seconds: float) -> None:
        self._subject = subject
        self._limit = limit
        self._lease_seconds = lease_seconds
        self._id = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Acquire the slot, or extend its lease; False where all are held by others. One round trip to Redis."""
        if self._acquire_here() and self._acquire_in_redis():
            return True
        self._release_here()
        return False

    def acquire_or_refuse(self, refusal: str, *, retry_after: float) -> None:
        """Acquire the slot, or extend its lease. One round trip to Redis.

        Raises:
            TooManyRequests: others hold all slots.
        """
        if not self.acquire():
            raise TooManyRequests(refusal, retry_after=retry_after)

    def release(self) -> None:
        """Leave the slot to others. One round trip to Redis."""
        self._release_here()
        resilient_redis().execute(lambda: [("ZREM", self._key(), self._id)])

    def command(self) -> Command:
        """Return the command by which Redis acquires the slot or extends its lease."""
        return ACQUIRE.command([self._key()], self._id, self._limit, int(self._lease_seconds * 1000))

    def _key(self) -> str:
        return resilient_redis().key(f"slots:{self._subject}")

    def _acquire_in_redis(self) -> bool:
        replies = resilient_redis().execute(lambda: [self.command()])
        return replies is None or bool(replies[0])

    def _acquire_here(self) -> bool:
        now = time.monotonic()
        with _lock:
            held = _held_here.setdefault(self._subject, {})
            for holder in [holder for holder, until in held.items() if until < now]:
                del held[holder]
            if self._id not in held and len(held) >= self._limit:
                return False
            held[self._id] = now + self._lease_seconds
            return True

    def _release_here(self) -> None:
        with _lock:
            held = _held_here.get(self._subject, {})
            held.pop(self._id, None)
            if not held:
                _held_here.pop(self._subject, None)


def extend_leases(slots: Iterable[LeasedSlot]) -> None:
    """Extend the leases of slots that are held. One round trip to Redis for all."""
    held = [slot for slot in slots if slot._acquire_here()]
    if held:
        resilient_redis().execute(lambda: [slot.command() for slot in held])
