"""What the worker does so that the first answer is there already."""

from __future__ import annotations

from backend.cache_warmup.service import recent_people, warm
from backend.jobs.registry import job


@job("cache_warmup.warm_person")
def warm_person(user_id: int) -> None:
    """After a login."""
    warm([user_id])


@job("cache_warmup.warm_people_of_today")
def warm_people_of_today() -> None:
    """After a start."""
    warm(recent_people())
