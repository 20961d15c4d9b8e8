"""A Redis that takes connections and never replies: of all calls of a process one waits, the others fail at once."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask import Flask
from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.redis.client import redis_client, resilient_redis
from backend.redis.faults import WRONG_PASSWORD, CircuitOpen, redis_fault
from backend.redis.resilient import ResilientRedis
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
TIME_OUT = 0.05


class SilentRedis(socket.socket):
    """A server that the kernel connects to, and nobody reads from."""

    def __init__(self) -> None:
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.listen(64)
        self.setblocking(False)

    def calls(self) -> int:
        """Count the connections since the last count: each call makes one, which times out."""
        count = 0
        while True:
            try:
                self.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture
def silent(ada: Api) -> Iterator[SilentRedis]:
    """The server of ada's application from now on."""
    with SilentRedis() as server:
        yield from _bound(ada.app, server)


def _bound(app: Flask, server: SilentRedis) -> Iterator[SilentRedis]:
    address = {"host": "127.0.0.1", "port": server.getsockname()[1]}
    options: dict[str, Any] = {"socket_timeout": TIME_OUT, "max_connections": 20, "retry": Retry(NoBackoff(), 0)}

    def connect(hook: Any) -> redis.Redis:
        pool = BlockingConnectionPool(**address, **options, redis_connect_func=hook)
        return redis.Redis(connection_pool=pool)

    gate = ResilientRedis(connect)
    gate._send_later = lambda: None  # type: ignore[method-assign]  # No thread goes on trying.
    former, app.extensions["resilient_redis"] = app.extensions["resilient_redis"], gate
    yield server
    app.extensions["resilient_redis"] = former


REQUESTS: dict[str, dict[str, Any]] = {
    "/api/health": {},
    "/api/v1/dashboard/metrics": {},
    "/api/v1/dashboard/statistics": {},
    "/api/v1/search?q=words": {},
    "/api/v1/search/suggest?q=wo": {},
    "/api/v1/bookmarks": {},
    "/api/v1/bookmarks/import": {"data": {"file": (b"[]", "links.json")}},
    "/api/v1/bookmarks/bulk": {"json": {"items": [{"url": "https://example.org/bulk"}]}},
    "/api/v1/dashboard/export": {"json": {"format": "json"}},
    "/api/v1/projects": {"json": {"name": "Plans"}},
    "/metrics": {},
}


@pytest.mark.parametrize("path", REQUESTS)
def test_a_request_waits_at_most_once(ada: Api, silent: SilentRedis, path: str) -> None:
    body = dict(REQUESTS[path])
    if "data" in body:
        body["data"] = {"file": (io.BytesIO(b'["https://example.org/imported"]'), "links.json")}
    answer = ada.app.test_client().open(
        path,
        method="POST" if body else "GET",
        headers={"Authorization": f"Bearer {ada.token}"},
        **body,
    )
    assert answer.status_code < 300, answer.get_data(as_text=True)
    # Checks of health ask at the same time, each in its thread.
    assert silent.calls() in ((1, 2) if path == "/api/health" else (1,))


def test_what_the_plain_client_has_learnt_the_resilient_one_knows(ada: Api, silent: SilentRedis) -> None:
    with ada.app.app_context():
        with pytest.raises(redis.TimeoutError):
            redis_client().get("key")
        assert not resilient_redis().is_trusted
        assert resilient_redis().execute(lambda: [("PING",)]) is None
        with pytest.raises(CircuitOpen):
            redis_client().get("key")
        with pytest.raises(CircuitOpen):
            redis_client().pipeline().get("key").execute()
    assert silent.calls() == 1


def test_an_error_that_redis_replies_opens_nothing(app: Flask) -> None:
    with app.app_context():
        redis_client().set("text", "no number")
        for _ in range(2):
            with pytest.raises(redis.ResponseError):
                redis_client().incr("text")
            with pytest.raises(redis.ResponseError):
                redis_client().pipeline().incr("text").execute()
        assert resilient_redis().is_open
        assert resilient_redis().is_trusted


def test_a_refused_call_tells_the_fault_that_opened_the_circuit() -> None:
    assert redis_fault(CircuitOpen(redis.AuthenticationError("invalid"))) == WRONG_PASSWORD
