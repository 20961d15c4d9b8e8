"""Statistics of the response cache: hits and misses of all processes, since Redis started or they were cleared."""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from backend.http.response_cache.invalidation import invalidate_everything
from backend.http.response_cache.schemas import CacheStatistics, NamespaceStatistics
from backend.http.response_cache.store import COUNTS
from backend.redis.client import resilient_redis
from backend.redis.resilient import FAILURE_COUNT


def read_statistics() -> CacheStatistics:
    """Return hits and misses by namespace. One round trip; zeros while Redis is away."""
    gate = resilient_redis()
    replies = gate.execute(lambda: [("HGETALL", gate.key(COUNTS)), ("GET", gate.key(FAILURE_COUNT))])
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"hits": 0, "misses": 0})
    for name, count in cast("dict[bytes, bytes]", replies[0] if replies else {}).items():
        namespace, _, kind = name.decode().partition(":")
        counts[namespace][kind] = int(count)
    hits, misses = (sum(count[kind] for count in counts.values()) for kind in ("hits", "misses"))
    return CacheStatistics(
        hits=hits,
        misses=misses,
        errors=int(replies[1] or 0) if replies else 0,
        total_requests=hits + misses,
        hit_rate_percent=_percent(hits, misses),
        connected=replies is not None,
        namespaces={
            namespace: NamespaceStatistics(**count, hit_rate_percent=_percent(count["hits"], count["misses"]))
            for namespace, count in sorted(counts.items())
        },
    )


def clear() -> None:
    """Invalidate everything, and count from zero."""
    invalidate_everything()
    gate = resilient_redis()
    gate.execute(lambda: [("DEL", gate.key(COUNTS), gate.key(FAILURE_COUNT))])


def _percent(hits: int, misses: int) -> float:
    return round(100 * hits / (hits + misses), 2) if hits + misses else 0.0
