"""Vectors of queries: remembered, and asked for behind a circuit breaker that threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backend.ai import querying
from backend.ai.embeddings.provider import EmbeddingsUnavailable, Vectors
from backend.ai.querying import QueryEmbedder
from backend.circuit_breaker import CircuitBreaker

pytestmark = pytest.mark.unit


class Provider:
    """Counts what it is asked; fails, or waits for `gate`, as told."""

    model, dimension = "counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_down = False
        self.gate = threading.Event()
        self.gate.set()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        self.gate.wait(5)
        if self.is_down:
            raise EmbeddingsUnavailable("The endpoint did not answer in time.", retryable=True)
        return np.array([[len(text), 1] for text in texts], np.float32)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The present, which stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr("backend.circuit_breaker.time.monotonic", lambda: now[0])
    return now


def fails(embedder: QueryEmbedder, text: str) -> str:
    with pytest.raises(EmbeddingsUnavailable) as refusal:
        embedder.embed(text)
    return refusal.value.reason


def test_what_was_asked_lately_is_not_asked_again(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querying, "REMEMBERED", 2)
    embedder = QueryEmbedder(provider)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        assert embedder.embed(text).tolist() == [len(text), 1]
    assert provider.asked == ["a", "bb", "ccc", "bb"]


def test_nobody_can_change_what_is_remembered(provider: Provider) -> None:
    with pytest.raises(ValueError, match="read-only"):
        QueryEmbedder(provider).embed("a")[0] = 5


def test_after_a_fault_calls_fail_at_once_until_one_probes(provider: Provider, clock: list[float]) -> None:
    embedder = QueryEmbedder(provider)
    provider.is_down = True
    reasons = [fails(embedder, text) for text in "abc"]
    assert set(reasons) == {"The endpoint did not answer in time."}
    assert provider.asked == ["a"]
    assert embedder.fault is not None
    clock[0] += querying.BREAK_SECONDS - 0.1
    fails(embedder, "d")
    assert provider.asked == ["a"]
    clock[0] += 0.2
    fails(embedder, "e")
    fails(embedder, "f")
    assert provider.asked == ["a", "e"]
    clock[0] += querying.BREAK_SECONDS + 0.1
    provider.is_down = False
    embedder.embed("g")
    embedder.embed("h")
    assert provider.asked == ["a", "e", "g", "h"]
    assert embedder.fault is None


def test_what_is_remembered_is_there_while_the_provider_is_down(provider: Provider, clock: list[float]) -> None:
    embedder = QueryEmbedder(provider)
    embedder.embed("known")
    provider.is_down = True
    fails(embedder, "unknown")
    assert embedder.embed("known").tolist() == [5, 1]


def test_of_many_threads_one_probes(provider: Provider, clock: list[float]) -> None:
    embedder = QueryEmbedder(provider)
    provider.is_down = True
    fails(embedder, "first")
    clock[0] += querying.BREAK_SECONDS + 0.1
    provider.gate.clear()
    with ThreadPoolExecutor(16) as pool:
        tries = [pool.submit(fails, embedder, f"query {number}") for number in range(16)]
        end = time.perf_counter() + 60
        while sum(one.done() for one in tries) < 15 and time.perf_counter() < end:
            time.sleep(0.005)
        assert sum(one.done() for one in tries) == 15
        provider.gate.set()
    assert len(provider.asked) == 2


def test_another_kind_of_error_while_probing_leaves_others_failing(clock: list[float]) -> None:
    breaker = CircuitBreaker(EmbeddingsUnavailable, EmbeddingsUnavailable.copy, seconds=30)

    def down() -> None:
        raise EmbeddingsUnavailable("Down.", retryable=True)

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(EmbeddingsUnavailable):
        breaker.call(down)
    clock[0] += 31
    with pytest.raises(ZeroDivisionError):
        breaker.call(broken)
    with pytest.raises(EmbeddingsUnavailable):
        breaker.call(lambda: None)
    clock[0] += 31
    breaker.call(lambda: None)
    assert breaker.fault is None
