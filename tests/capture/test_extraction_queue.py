"""Queue of fetched pages for the extraction processes: whose page, and which, comes next."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from backend.capture import fetch
from backend.capture.fetch import FetchedPage
from backend.capture.shared_limits import ExtractionQueue, FetchedClaim

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGE_BODY_BYTES", 100)


def page(person: int, length: int) -> FetchedClaim:
    fetched = FetchedPage("https://example.org/", 200, "text/html", None, b"x" * length, False)
    return FetchedClaim(cast(Any, SimpleNamespace(person=person)), fetched, cast(Any, None))


def queue_of(*pages: FetchedClaim) -> ExtractionQueue:
    queue = ExtractionQueue(processes=4)
    for each in pages:
        queue.put(each)
    return queue


def test_large_pages_are_extracted_one_at_a_time_and_small_ones_pass() -> None:
    first, second, small = page(1, 101), page(2, 101), page(3, 100)
    queue = queue_of(first, second, small)
    assert queue.take(0) is first
    assert queue.take(0) is small
    assert queue.take(0) is None
    queue.finish(small)
    assert queue.take(0) is None
    queue.finish(first)
    assert queue.take(0) is second


def test_one_person_never_takes_all_processes() -> None:
    pages = [page(1, 1) for _ in range(4)]
    queue = queue_of(*pages)
    assert [queue.take(0) for _ in pages] == [*pages[:3], None]
    queue.put(other := page(2, 1))
    assert queue.take(0) is other
