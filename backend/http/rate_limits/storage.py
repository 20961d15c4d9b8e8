"""Storage of Flask-Limiter in the process's resilient Redis, by the URI scheme `resilient-redis`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import redis
from limits.errors import StorageError
from limits.storage import Storage

from backend.http.rate_limits.windows import Limits, Verdict, check_command, verdict
from backend.redis.client import redis_client, resilient_redis
from backend.redis.resilient import Command

AWAY = redis.ConnectionError("Redis is away")


class ResilientRedisStorage(Storage):
    """Counters in the Redis of the running application; nothing to connect, nothing to configure."""

    STORAGE_SCHEME = ["resilient-redis"]  # noqa: RUF012

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return the class of this storage's faults."""
        return redis.RedisError

    @property
    def storage(self) -> redis.Redis:
        """The client, as `flask limiter config` shows it."""
        return redis_client()

    def check_windows(self, names: Sequence[str], limits: Limits, cost: int, refund: int = 0) -> Verdict:
        """Count a request in all windows of all names, or in none. One round trip.

        Raises:
            StorageError: Redis is away.
        """
        gate = resilient_redis()
        replies = gate.execute(lambda: [check_command([gate.key(name) for name in names], limits, cost, refund)])
        if replies is None:
            raise StorageError(AWAY)
        return verdict(replies[0], limits)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in a fixed window that begins with its first request."""
        name = resilient_redis().key(key)
        return int(self._ask(("SET", name, 0, "EX", expiry, "NX"), ("INCRBY", name, amount))[1])

    def get(self, key: str) -> int:
        """Return the count of a fixed window."""
        return int(self._ask(("GET", resilient_redis().key(key)))[0] or 0)

    def get_expiry(self, key: str) -> float:
        """Return the end of a fixed window, in seconds since 1970."""
        return time.time() + max(0, int(self._ask(("TTL", resilient_redis().key(key)))[0]))

    def check(self) -> bool:
        """Return whether Redis replies."""
        return resilient_redis().execute(lambda: [("PING",)]) is not None

    def clear(self, key: str) -> None:
        """Forget the counts of one subject in one class."""
        name = resilient_redis().key(key)
        self._ask(("DEL", name, f"{name}:slots"))

    def reset(self) -> int:
        """Forget all counts; return how many keys they were."""
        client = redis_client()
        return sum(int(client.delete(key)) for key in client.scan_iter(resilient_redis().key("limit:*"), count=1_000))

    def _ask(self, *commands: Command) -> list[Any]:
        replies = resilient_redis().execute(lambda: commands)
        if replies is None:
            raise AWAY
        return replies
