"""Probe of Redis: does it answer, and may its user do what Fuze needs?"""

from __future__ import annotations

import redis

PROBE_KEY, PROBE_SECONDS = "fuze:probe", 60


def probe_redis(client: redis.Redis) -> None:
    """Write a key that expires, and run a script. One round trip.

    Raises:
        redis.AuthenticationError: the password is wrong.
        redis.NoPermissionError: the user lacks a right.
        redis.RedisError: Redis does not answer, or is out of order.
    """
    with client.pipeline(transaction=False) as pipeline:
        pipeline.set(PROBE_KEY, 1, ex=PROBE_SECONDS)
        pipeline.eval("return 1", 0)
        pipeline.execute()
