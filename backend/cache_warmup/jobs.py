"""The jobs of cache warm-up."""

from __future__ import annotations

from backend.cache_warmup.service import recent_people, warm
from backend.jobs.registry import job


@job("cache_warmup.warm_person")
def warm_person(user_id: int) -> None:
    """Cache the first responses of a person, after a login."""
    warm([user_id])


@job("cache_warmup.warm_people_of_today")
def warm_people_of_today() -> None:
    """Cache the first responses of recent people, after a start."""
    warm(recent_people())
