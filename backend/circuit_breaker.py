"""A circuit breaker: what has just failed is not asked again at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Fault = TypeVar("Fault", bound=Exception)


class CircuitBreaker(Generic[Fault]):
    """After a fault all calls fail at once for some seconds; then one probes, and the others go on failing meanwhile.

    Threads may share it. Nygard, Release It!, 2nd edition 2018, section 5.2.
    """

    def __init__(self, faults: type[Fault], refusal: Callable[[Fault], Fault], *, seconds: float) -> None:
        """Closed at first.

        Args:
            faults: The exceptions that open it.
            refusal: Makes of the last fault what calls fail with that are not even tried; a new one each time, since
                threads that raise the same exception write into one traceback.
            seconds: How long until one probes.
        """
        self._faults = faults
        self._refusal = refusal
        self._seconds = seconds
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._closed_until = 0.0

    @property
    def fault(self) -> Fault | None:
        """What the last call failed of, or None after one that worked."""
        return self._fault

    def forget(self) -> None:
        """As after the start: nothing has failed."""
        with self._lock:
            self._fault = None

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, or raises.

        Raises:
            Fault: `ask` has failed lately.
        """
        if self._fault is not None:
            with self._lock:
                self._enter()
        try:
            answer = ask()
        except self._faults as fault:
            with self._lock:
                self._fault, self._closed_until = fault, time.monotonic() + self._seconds
            raise
        if self._fault is not None:
            with self._lock:
                self._fault = None
        return answer

    def _enter(self) -> None:
        if self._fault is None:
            return
        now = time.monotonic()
        if now < self._closed_until:
            raise self._refusal(self._fault)
        self._closed_until = now + self._seconds  # This call is the probe.
