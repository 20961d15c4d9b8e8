"""Counts of searches: in Redis by organization and quarter of an hour, written to the roll-ups by the worker.

A search changes nothing in PostgreSQL, so counting it there would cost a transaction. Each hash in Redis has a random
name for its counts (`source`): writing the same counts twice changes nothing, and where Redis has lost a hash, the next
one adds to what was written before.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import redis
from loguru import logger

from backend.activity.roll_ups import bucket_of
from backend.clock import utc_now
from backend.extensions import db
from backend.named_blocks import read_blocks, read_statements
from backend.redis.client import redis_client

# Lua functions for a script that counts a search beside what else it does.
COUNT_SEARCH = read_blocks(Path(__file__).with_suffix(".lua"))["count_search"]
ORGANIZATIONS = "fuze:searched"
EXPIRY_SECONDS = 7 * 86_400
# A bucket that ended so long ago grows no more, whatever clocks say.
ENDED = timedelta(hours=2)
SQL = read_statements(__file__)


class SearchCounts(NamedTuple):
    """The counts of one hash, by bucket (seconds since 1970), and the name of the hash."""

    source: str
    buckets: Mapping[int, int]


def count_keys(organization_id: int) -> tuple[str, str]:
    """Return the keys that `count_search` takes: those of the counts, and of the set of organizations."""
    return _key(organization_id), ORGANIZATIONS


def count_arguments(organization_id: int) -> tuple[int, int, str, int]:
    """Return the arguments that `count_search` takes."""
    return organization_id, int(bucket_of(utc_now()).timestamp()), secrets.token_hex(8), EXPIRY_SECONDS


def unwritten_counts(organization_id: int) -> SearchCounts | None:
    """Return the counts in Redis, some of which may be written already; None while Redis is away. One round trip."""
    try:
        return _read(organization_id)
    except redis.RedisError as error:
        logger.warning("searches of the last minutes are not known: {}", error)
        return None


def flush_searches() -> None:
    """Write the counts of all organizations to the roll-ups, then delete those in Redis that grow no more."""
    for name in cast("set[bytes]", redis_client().smembers(ORGANIZATIONS)):
        organization_id = int(name)
        counts = _read(organization_id)
        if counts.buckets:
            _write(organization_id, counts)
        ended = [bucket for bucket in counts.buckets if datetime.fromtimestamp(bucket, UTC) < utc_now() - ENDED]
        if ended:
            redis_client().hdel(_key(organization_id), *map(str, ended))
        if len(ended) == len(counts.buckets):
            redis_client().srem(ORGANIZATIONS, name)


def _write(organization_id: int, counts: SearchCounts) -> None:
    values = {
        "organization_id": organization_id,
        "source": counts.source,
        "buckets": [datetime.fromtimestamp(bucket, UTC) for bucket in counts.buckets],
        "counts": list(counts.buckets.values()),
    }
    db.session.execute(SQL["write"], values)
    db.session.commit()


def _read(organization_id: int) -> SearchCounts:
    found = cast("dict[bytes, bytes]", redis_client().hgetall(_key(organization_id)))
    source = found.pop(b"source", b"").decode()
    return SearchCounts(source, {int(bucket): int(count) for bucket, count in found.items()})


def _key(organization_id: int) -> str:
    return f"fuze:searches:{organization_id}"
