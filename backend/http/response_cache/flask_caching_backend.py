"""Backend of Flask-Caching on the process's resilient Redis.

Computed values are stored as JSON or bytes, never pickled. Responses have an ETag, a generation and a lease of the one
request that computes them: they go their own way (`store`), from the same object. Without Redis, while it is not
trusted, or with ENABLE_CACHING off, every read is a miss and nothing is stored.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
from flask import Flask
from flask_caching.backends.base import BaseCache

from backend.extensions import cache, current_settings
from backend.http.response_cache import store
from backend.redis.client import redis_client, resilient_redis
from backend.redis.resilient import Script

PREFIX = "computed:"
# What is to last for ever lasts this long: Redis drops keys that expire when it runs out of memory.
LONGEST_SECONDS = 2 * 86400
AS_BYTES, AS_JSON = b"b", b"j"
# Values that would come back as something else are refused.
EXACT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
GET_COUNTED = Script(Path(__file__).with_name("get_counted.lua").read_text())

Timeout = int | timedelta | None


class CacheBackend(BaseCache):
    """Computed values under their keys, and the responses of routes: see `store`. Threads may share it."""

    look_up = staticmethod(store.look_up)
    store_response = staticmethod(store.store_response)
    abandon = staticmethod(store.abandon)

    @classmethod
    def factory(cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> CacheBackend:
        """Return the backend of an application."""
        return cls(default_timeout=config["CACHE_DEFAULT_TIMEOUT"])

    def get(self, key: str) -> Any:
        """Return a value, or None; counted as a hit or a miss. One round trip."""
        gate = resilient_redis()
        replies = self._ask(lambda: [GET_COUNTED.command([gate.key(PREFIX + key), gate.key(store.COUNTS)])])
        return _decoded(replies[0]) if replies else None

    def get_many(self, *keys: str) -> list[Any]:
        """Return values, None for each that is missing; not counted. One round trip."""
        replies = self._ask(lambda: [("MGET", *map(_name, keys))])
        return [_decoded(value) for value in replies[0]] if replies else [None] * len(keys)

    def has(self, key: str) -> bool:
        """Return whether a value is stored. One round trip."""
        replies = self._ask(lambda: [("EXISTS", _name(key))])
        return bool(replies and replies[0])

    def set(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Store a value of bytes, or one that JSON holds exactly; return whether it is stored. One round trip.

        Raises:
            TypeError: JSON does not hold it.
        """
        return bool(self.set_many({key: value}, timeout))

    def set_many(self, mapping: dict[str, Any], timeout: Timeout = None) -> list[str]:
        """Store several values; return the keys of those that are stored. One round trip.

        Raises:
            TypeError: JSON does not hold one of them.
        """
        seconds = self._seconds(timeout)
        values = {key: _encoded(value) for key, value in mapping.items()}
        replies = self._ask(lambda: [("SET", _name(key), value, "EX", seconds) for key, value in values.items()])
        return [*mapping] if replies is not None else []

    def add(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Store a value unless there is one; return whether it is stored. One round trip.

        Raises:
            TypeError: JSON does not hold it.
        """
        encoded, seconds = _encoded(value), self._seconds(timeout)
        replies = self._ask(lambda: [("SET", _name(key), encoded, "EX", seconds, "NX")])
        return bool(replies and replies[0])

    def delete(self, key: str) -> bool:
        """Forget a value; return whether there was one. One round trip."""
        return bool(self.delete_many(key))

    def delete_many(self, *keys: str) -> list[str]:
        """Forget several values; return the keys of those that there were. One round trip."""
        replies = self._ask(lambda: [("DEL", _name(key)) for key in keys]) or []
        return [key for key, deleted in zip(keys, replies, strict=False) if deleted]

    def clear(self) -> bool:
        """Forget all computed values; return whether Redis replied."""
        if resilient_redis().execute(lambda: [("PING",)]) is None:
            return False
        client = redis_client()
        for key in client.scan_iter(_name("*"), count=1_000):
            client.delete(key)
        return True

    def _ask(self, commands: Any) -> list[Any] | None:
        gate = resilient_redis()
        return gate.execute(commands) if gate.is_trusted and current_settings().ENABLE_CACHING else None

    def _seconds(self, timeout: Timeout) -> int:
        return min(self._normalize_timeout(timeout) or LONGEST_SECONDS, LONGEST_SECONDS)


def cache_backend() -> CacheBackend:
    """Return the backend of the running application, with what `Cache` does not offer."""
    return cast(CacheBackend, cache.cache)


def _name(key: str) -> str:
    return resilient_redis().key(PREFIX + key)


def _encoded(value: Any) -> bytes:
    return AS_BYTES + value if isinstance(value, bytes) else AS_JSON + orjson.dumps(value, option=EXACT)


def _decoded(stored: bytes | None) -> Any:
    if stored is None:
        return None
    return orjson.loads(stored[1:]) if stored.startswith(AS_JSON) else stored[1:]
