"""Keys of computed values that depend on what an organization has: valid for one generation, like cached responses.

    @cache.cached(timeout=CACHE_SECONDS["statistics"], make_cache_key=per_organization("engines"))
    def read_flags(organization_id: int, model: str) -> dict[str, bool]: ...

Values that depend on their arguments alone take `@cache.memoize`. A function returns bytes, or what JSON holds exactly.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from backend.http.response_cache.ages import age_of_last
from backend.http.response_cache.invalidation import EVERYTHING, FRESH
from backend.http.response_cache.store import digest_of
from backend.redis.client import resilient_redis
from backend.replica.service import read_replica

MakeKey = Callable[..., str]


def per_organization(name: str, *subjects: str) -> MakeKey:
    """Return the maker of keys for a function whose first argument is an organization's id.

    Args:
        name: Which function; no other one has it.
        subjects: What else its values depend on, each with a generation of its own: see `invalidate_computed`.
    """

    def make_key(organization_id: int, *arguments: object) -> str:
        generation = _generation(organization_id, ("organization", *subjects))
        return f"{name}:{organization_id}:{generation}:{digest_of(arguments)}"

    return make_key


def invalidate_computed(organization_id: int, subject: str) -> None:
    """Invalidate the values of an organization that depend on a subject, after the commit. One round trip."""
    resilient_redis().invalidate({_generation_name(organization_id, subject): FRESH})


def _generation(organization_id: int, subjects: tuple[str, ...]) -> str:
    """Read the generation before the function reads its first row. One round trip."""
    gate = resilient_redis()
    names = (EVERYTHING, *(_generation_name(organization_id, subject) for subject in subjects))
    replies = gate.execute(lambda: [("MGET", *map(gate.key, names))]) if gate.is_trusted else None
    if replies is None or not _is_replica_current(names):
        # A key that nobody has: what is computed now is read by nobody else.
        return secrets.token_hex(8)
    return ".".join((part or b"").hex() for part in replies[0])


def _is_replica_current(names: tuple[str, ...]) -> bool:
    """Tell whether what the current session reads is no older than these generations."""
    replica = read_replica()
    if replica is None:
        return True
    age = age_of_last(names)
    return age is not None and replica.holds(age)


def _generation_name(organization_id: int, subject: str) -> str:
    return f"generation:{subject}:{organization_id}"
