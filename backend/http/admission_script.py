"""The one command that admits a request: limits, credential and cache lookup in one round trip to Redis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.actor import Actor
from backend.http.authentication import Authenticator, RequestCredential
from backend.http.cache_lookup import CacheLookup, WriteIntent
from backend.http.rate_limits.charge import Charge
from backend.http.rate_limits.windows import LUA_CHECK, numbers
from backend.http.response_cache.scripts import LUA_LOOKUP
from backend.http.response_cache.store import MAKING_MS, CacheKey
from backend.redis.connections import pack
from backend.redis.resilient import Command, Script

ADMIT = Path(__file__).with_name("admit.lua").read_text()
NO_LIMITS = (0,) * 6
# Requests within this time count as popular: their responses are refreshed ahead after a write.
POPULAR_SECONDS = 60


@lru_cache(maxsize=1)
def admit_script(credentials: str) -> Script:
    """Return the script of an admission, given the functions of the authenticator."""
    return Script(LUA_CHECK + credentials + LUA_LOOKUP + ADMIT)


def admission_command(
    authenticator: Authenticator,
    prefix: str,
    charge: Charge,
    credential: RequestCredential | None,
    lookup: CacheLookup | WriteIntent | None,
) -> Command:
    """Return the command of an admission; `prefix` is that of Redis's keys, valid only while a command is made."""
    windows = numbers(charge.limits) if charge.limits else NO_LIMITS
    kind, name, user_id = credential.question if credential else ("", "", 0)
    organization = credential.asked if credential and credential.asked is not None else ""
    return admit_script(authenticator.script).command(
        [],
        prefix,
        charge.name if charge.limits else "",
        charge.bounded_cost,
        *windows,
        kind,
        name,
        user_id,
        authenticator.first_use_seconds,
        organization,
        *_lookup_arguments(lookup),
    )


@dataclass(frozen=True, slots=True)
class KnownActor:
    """The actor whom entries in Redis were verified to name, and the cache key of their lookup with its partition.

    `until` (seconds since 1970) the same entries need not be verified again.
    """

    entries: Any
    actor: Actor
    key: CacheKey
    partition: bytes
    until: float


@dataclass(slots=True)
class PreparedLookup:
    """The admission of a cacheable read: the same each time that it is sent, until its token ends.

    `expires_at` is the end of the token, in seconds since 1970; `known_actor` is remembered of a login.
    """

    authenticator: Authenticator
    credential: RequestCredential
    lookup: CacheLookup
    charge: Charge
    expires_at: float
    known_actor: KnownActor | None = None
    _packed: tuple[str, bytes] = field(default=("", b""))

    def command(self, prefix: str) -> bytes:
        """Return the command, packed once for each run of Redis: keys begin with its number."""
        packed_for, packed = self._packed
        if packed_for != prefix:
            packed = pack(admission_command(self.authenticator, prefix, self.charge, self.credential, self.lookup))
            self._packed = prefix, packed
        return packed


def _lookup_arguments(lookup: CacheLookup | WriteIntent | None) -> Iterator[Any]:
    if isinstance(lookup, CacheLookup):
        yield from (lookup.namespace, lookup.subject, lookup.bookmark_id or "", lookup.digest, MAKING_MS)
        yield from (lookup.path, POPULAR_SECONDS, lookup.coding, *lookup.etags)
    else:
        yield "write" if lookup else ""
