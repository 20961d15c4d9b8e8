"""Ages of invalidations: how long ago something was changed, by the clock of Redis alone."""

from __future__ import annotations

from collections.abc import Iterable

from backend.actor import Actor
from backend.http.response_cache.invalidation import EVERYTHING, GENERATION_SECONDS
from backend.redis.client import resilient_redis


def names_of(actor: Actor) -> tuple[str, ...]:
    """Return the names of all generations that change with what an actor may read."""
    return EVERYTHING, f"generation:person:{actor.user_id}", f"generation:organization:{actor.organization_id}"


def age_of_last(names: Iterable[str]) -> float | None:
    """Return the seconds since the last of these generations was set; None where Redis does not tell.

    A generation is set to expire a fixed time later: what remains of that is its age. Where there is none, nothing was
    changed since this process has known the present run of Redis. One round trip.
    """
    gate = resilient_redis()
    if not gate.is_trusted:
        return None
    replies = gate.execute(lambda: [("PTTL", gate.key(name)) for name in names])
    if replies is None:
        return None
    known = gate.run_seconds
    return min(GENERATION_SECONDS - left / 1000 if left >= 0 else known for left in replies)
