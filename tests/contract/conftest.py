"""What both halves of the contract's tests need."""

from __future__ import annotations

import time

import pytest

from backend.jobs.worker import HEARTBEATS
from backend.redis.client import redis_client
from tests.support.api import Api


@pytest.fixture(autouse=True)
def worker_alive(ada: Api) -> None:
    """A sign of life from a worker, good for an hour: /api/health/worker answers 503 without."""
    with ada.app.app_context():
        redis_client().zadd(HEARTBEATS, {"worker.1": time.time() + 3600})
