"""How many functions of ours a request passes: whoever reads the code of a request reads these, and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import pytest
from flask import Flask

from backend.http.rate_limits.charge import RateLimits
from backend.observability import logging
from backend.observability.logging import flush_batches, start_batches
from config import RATE_LIMIT_CLASSES, Settings
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOMY = (1_000, 10_000, 100_000)
# Metrics take 3 of a hit and 10 of a miss.
MOST_ON_A_HIT, MOST_ON_A_MISS = 30, 90
TRIES = 4


@pytest.fixture(autouse=True)
def as_in_production(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits that let everything pass, and access lines that are written many at a time."""
    monkeypatch.setitem(app.extensions, "rate_limits", RateLimits(dict.fromkeys(RATE_LIMIT_CLASSES, ROOMY)))
    monkeypatch.setattr(logging, "_access_log", logging._access_log)
    start_batches(settings)
    yield
    flush_batches()


def functions_of_ours(api: Api, path: str) -> list[str]:
    """The distinct functions of `backend` that are called while a request is answered."""
    called: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        # Comprehensions and lambdas are read where they stand.
        code = frame.f_code
        if event == "call" and "/backend/" in code.co_filename and not code.co_name.startswith("<"):
            called[frame.f_code] = None

    sys.setprofile(note)
    try:
        response = api.get(path)
    finally:
        sys.setprofile(None)
    assert response.status_code == 200
    return [f"{code.co_filename.rpartition('/backend/')[2]}:{code.co_qualname}" for code in called]


def test_a_cached_list_passes_few_functions(ada: Api) -> None:
    ada.save("https://example.org/", tags=["t"])
    ada.get("/bookmarks")
    called = min((functions_of_ours(ada, "/bookmarks") for _ in range(TRIES)), key=len)
    assert len(called) <= MOST_ON_A_HIT, "\n".join(called)


def test_a_list_that_is_not_cached_passes_few_functions(ada: Api) -> None:
    """Where metrics are stored for the first time it takes five more: a bucket of durations is made when it is hit."""
    called = min((_functions_of_a_miss(ada, number) for number in range(TRIES)), key=len)
    assert len(called) <= MOST_ON_A_MISS, "\n".join(called)


def _functions_of_a_miss(api: Api, number: int) -> list[str]:
    api.save(f"https://example.org/{number}", tags=["t"])
    return functions_of_ours(api, "/bookmarks")
