"""The envelope of the dashboard's responses, and how these are cached."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from backend.clock import utc_now
from backend.dashboard.schemas import DashboardResponse, Metadata, stored_body
from backend.http.operations import CacheNamespace, CachePolicy
from backend.http.schemas import ResponseBody
from config import CACHE_SECONDS

D = TypeVar("D", bound=ResponseBody)
R = TypeVar("R", bound=DashboardResponse)  # type: ignore[type-arg]
SAYS_WHETHER_CACHED = CachePolicy(stored=stored_body)


def enclosed(envelope: type[R], data: ResponseBody, namespace: CacheNamespace, moment: datetime | None = None) -> R:
    """Return data in their envelope; `moment` is when they were computed, by default now."""
    metadata = Metadata(timestamp=moment or utc_now(), cache_ttl=CACHE_SECONDS[namespace], cached=False)
    return envelope(data=data, metadata=metadata)
