"""Guessing passwords gets slower: for each account and each address, never for ever (R-AUTH 7).

Every try counts before the password is looked at, so that many at once are no way around. Five within a quarter of an
hour are free; each later one opens a wait that doubles. A right password takes its own try back, and clears the
account. Without Redis each process counts for itself.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import cast

import redis
from loguru import logger

from backend.addresses import address_digest
from backend.errors import TooManyRequests
from backend.extensions import redis_client

FREE_TRIES, WINDOW_SECONDS = 5, 900
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2, 900
KEY = "fuze:tries:"

# Of all keys: how long to wait; if there is no wait, the try is counted, and the next wait begins.
TRY = """
local wait = 0
for _, key in ipairs(KEYS) do wait = math.max(wait, redis.call('PTTL', key .. ':wait')) end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    redis.call('EXPIRE', key, ARGV[1])
    local over = count - tonumber(ARGV[2])
    if over >= 0 then
        local seconds = math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ math.min(over, 20))
        redis.call('SET', key .. ':wait', 1, 'EX', string.format('%d', seconds))
    end
end
return 0
"""
TAKE_BACK = """
redis.call('DEL', KEYS[1], KEYS[1] .. ':wait')
for at = 2, #KEYS do
    if redis.call('DECR', KEYS[at]) < tonumber(ARGV[1]) then redis.call('DEL', KEYS[at] .. ':wait') end
    redis.call('EXPIRE', KEYS[at], ARGV[2])
end
"""


@dataclass
class _Count:
    tries: int = 0
    until: float = 0.0
    wait_until: float = 0.0


@dataclass
class _Memory:
    """Counts of this process, for when Redis is away."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: dict[str, _Count] = field(default_factory=dict)


_memory = _Memory()
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Attempt:
    """A try at a password that has been counted."""

    keys: tuple[str, str]

    def succeeded(self) -> None:
        """Take it back: the password was right."""
        try:
            redis_client().eval(TAKE_BACK, len(self.keys), *self.keys, FREE_TRIES, WINDOW_SECONDS)
        except redis.RedisError as error:
            logger.warning("tries are counted by each process for itself: {}", error)
        with _memory.lock:
            _memory.counts.pop(self.keys[0], None)
            if (address := _memory.counts.get(self.keys[1])) is not None:
                address.tries -= 1
                address.wait_until = 0.0


def begin_attempt(account: str, address: str) -> Attempt:
    """Count a try. One round trip.

    Args:
        account: What names the account: the same for all its names, and for a name that nobody has.
        address: The client's.

    Raises:
        TooManyRequests: the account or the address has to wait; carries for how long.
    """
    keys = (f"{KEY}account:{_digest(account)}", f"{KEY}address:{address_digest(address)}")
    values = (WINDOW_SECONDS, FREE_TRIES, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
    try:
        wait = cast(int, redis_client().eval(TRY, len(keys), *keys, *values)) / 1000
    except redis.RedisError as error:
        logger.warning("tries are counted by each process for itself: {}", error)
        wait = _try_in_memory(keys)
    if wait > 0:
        raise TooManyRequests("Too many failed logins. Wait a little, then try again.", retry_after=wait)
    return Attempt(keys)


def _try_in_memory(keys: tuple[str, ...]) -> float:
    now = time.monotonic()
    with _memory.lock:
        if len(_memory.counts) > MOST_REMEMBERED:
            _memory.counts = {key: count for key, count in _memory.counts.items() if count.until > now}
        counts = [_memory.counts.setdefault(key, _Count()) for key in keys]
        wait = max(count.wait_until - now for count in counts)
        if wait > 0:
            return wait
        for count in counts:
            count.tries = count.tries + 1 if count.until > now else 1
            count.until = now + WINDOW_SECONDS
            over = count.tries - FREE_TRIES
            if over >= 0:
                count.wait_until = now + min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(over, 20))
    return 0.0


def _digest(text: str) -> str:
    # Names of people do not lie about in Redis.
    return hashlib.sha256(text.encode()).hexdigest()[:32]
