"""What the cache's routes answer."""

from __future__ import annotations

from pydantic import Field

from backend.http.schemas import ResponseBody


class NamespaceStatistics(ResponseBody):
    """Of one kind of answers."""

    hits: int
    misses: int
    hit_rate_percent: float


class CacheStatistics(ResponseBody):
    """Over all processes, since Redis was started or the cache was cleared."""

    hits: int
    misses: int
    errors: int = Field(description="Questions to Redis that failed")
    total_requests: int = Field(description="Hits and misses")
    hit_rate_percent: float
    connected: bool
    namespaces: dict[str, NamespaceStatistics]
