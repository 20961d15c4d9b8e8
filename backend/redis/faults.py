"""Faults of Redis as messages for the operator: no answer, a wrong password, a missing right, no memory."""

from __future__ import annotations

import re

import redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, OutOfMemoryError, ResponseError

NO_ANSWER = "Redis does not answer."
WRONG_PASSWORD = "Redis refuses the password: check REDIS_PASSWORD and REDIS_URL."  # nosec B105
COMMAND = re.compile(r"run the '([\w|-]+)' command")


class CircuitOpen(redis.ConnectionError):
    """The circuit breaker is open: Redis has failed a moment ago, by `fault`, and nothing was sent."""

    def __init__(self, fault: redis.RedisError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def redis_fault(error: redis.RedisError) -> str:
    """Describe a fault in one sentence that holds no data and no settings."""
    if isinstance(error, CircuitOpen):
        return redis_fault(error.fault)
    message = str(error)
    # redis-py raises some as plain errors, told apart by their first word.
    if isinstance(error, AuthenticationError) or message.startswith(("NOAUTH", "WRONGPASS")):
        return WRONG_PASSWORD
    if isinstance(error, NoPermissionError) or message.startswith("NOPERM"):
        return f"The Redis user lacks a right: give it {_missing_right(message)}."
    if isinstance(error, BusyLoadingError):
        return "Redis is still loading its data."
    if isinstance(error, OutOfMemoryError):
        return "Redis is full: raise its maxmemory."
    if isinstance(error, ResponseError):
        return "Redis answers with an error, see the log."
    return NO_ANSWER


def _missing_right(message: str) -> str:
    if command := COMMAND.search(message):
        return f"+{command[1].partition('|')[0]}, or +@all -@dangerous"
    return (
        "~* for all keys"
        if "key" in message
        else "&* for all channels"
        if "channel" in message
        else "+@all -@dangerous"
    )
