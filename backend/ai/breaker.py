"""A circuit breaker: what has just failed is not asked again at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from backend.ai.embeddings.provider import EmbeddingsUnavailable

T = TypeVar("T")


class CircuitBreaker:
    """After a fault all calls fail at once for some seconds; then one probes, and the others go on failing meanwhile.

    Threads may share it. Nygard, Release It!, 2nd edition 2018, section 5.2.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._fault: EmbeddingsUnavailable | None = None
        self._closed_until = 0.0

    @property
    def fault(self) -> EmbeddingsUnavailable | None:
        """What the last call failed of, or None after one that worked."""
        return self._fault

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returns.

        Raises:
            EmbeddingsUnavailable: `ask` failed, or has failed lately.
        """
        with self._lock:
            self._enter()
        try:
            answer = ask()
        except EmbeddingsUnavailable as fault:
            with self._lock:
                self._fault, self._closed_until = fault, time.monotonic() + self._seconds
            raise
        with self._lock:
            self._fault = None
        return answer

    def _enter(self) -> None:
        if self._fault is None:
            return
        now = time.monotonic()
        if now < self._closed_until:
            # A new one each time: threads that raise the same exception write into one traceback.
            raise EmbeddingsUnavailable(self._fault.reason, retryable=self._fault.retryable)
        self._closed_until = now + self._seconds  # This call is the probe.
