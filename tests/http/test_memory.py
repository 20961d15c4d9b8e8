"""What callers without an account can make a process remember (R-LIMIT): nothing that grows."""

from __future__ import annotations

import gc
import tracemalloc
import urllib.parse
from collections.abc import Callable

import pytest

from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

REQUESTS, BYTES = 200, 8_000


def _text(number: int) -> str:
    return f"{number:08d}" * (BYTES // 8)


CALLS: dict[str, Callable[[Api, int], object]] = {
    "path": lambda api, number: api.get(f"/{_text(number)}"),
    "path of an object": lambda api, number: api.get(f"/bookmarks/{_text(number)}"),
    "query": lambda api, number: api.get("/bookmarks", q=_text(number)),
    "token": lambda api, number: api.request("GET", "/bookmarks", headers={"Authorization": f"Bearer {_text(number)}"}),
    "organization": lambda api, number: api.request("GET", "/tags", headers={"X-Organization-ID": _text(number)}),
    "ETag": lambda api, number: api.request("GET", "/tags", headers={"If-None-Match": f'"{_text(number)}"'}),
    "name of a file": lambda api, number: api.get(f"/api/docs/assets/{_text(number)}"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_strangers_send_is_not_remembered(anonymous: Api, call: Callable[[Api, int], object]) -> None:
    for number in range(20):
        call(anonymous, number)
    urllib.parse.clear_cache()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(20, 20 + REQUESTS):
            call(anonymous, number)
        # The client of the tests splits addresses, of which the standard library remembers the last.
        urllib.parse.clear_cache()
        gc.collect()
        remembered = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert remembered < REQUESTS * BYTES / 4, f"{remembered} bytes of {REQUESTS * BYTES}"
