"""Clients of Redis: one for each application, bound by `create_app`."""

from __future__ import annotations

from typing import Any, cast

import redis
from flask import Flask, current_app
from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.redis.resilient import ResilientRedis
from config import Settings


def redis_client() -> redis.Redis:
    """Return the plain Redis client: one pool of 20 connections, short time-outs, no retries.

    It shares the circuit breaker of the resilient client: while Redis is away it fails at once.
    """
    return resilient_redis().client


def resilient_redis() -> ResilientRedis:
    """Return the resilient client of the running application."""
    return cast(ResilientRedis, current_app.extensions["resilient_redis"])


def bind_redis(app: Flask, settings: Settings) -> None:
    """Attach the Redis client; connects on first use, so a missing Redis does not stop the start."""
    app.extensions["resilient_redis"] = ResilientRedis(
        lambda hook: connect_redis(
            settings, BlockingConnectionPool, socket_timeout=2, max_connections=20, timeout=2, redis_connect_func=hook
        )
    )


def connect_redis(
    settings: Settings, pool: type[redis.ConnectionPool] = redis.ConnectionPool, **options: Any
) -> redis.Redis:
    """Return a Redis client that connects on first use and retries nothing."""
    password = settings.REDIS_PASSWORD.get_secret_value()
    if password and "@" not in settings.REDIS_URL:
        options["password"] = password
    url = settings.REDIS_URL or "redis://127.0.0.1:6379/0"
    return redis.Redis(
        connection_pool=pool.from_url(url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=1, **options)
    )
