"""Circuit breaker in the memory of one process: after a fault calls fail fast until a probe succeeds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Fault = TypeVar("Fault", bound=Exception)


class CircuitBreaker(Generic[Fault]):
    """Circuit breaker: after a fault all calls fail at once for some seconds, then one call probes while others fail.

    Threads may share it. Nygard, Release It!, 2nd edition 2018, section 5.2.
    """

    def __init__(
        self,
        faults: type[Fault],
        refusal: Callable[[Fault], Fault],
        *,
        seconds: float,
        probe_seconds: float | None = None,
    ) -> None:
        """Begin closed.

        Args:
            faults: The exceptions that open the circuit.
            refusal: Makes the exception of a refused call from the last fault; a new one each time, since threads that
                raise the same exception write into one traceback.
            seconds: The time until a probe.
            probe_seconds: The time after which a probe without a result is followed by another; default: the same.
        """
        self._faults = faults
        self._refusal = refusal
        self._seconds = seconds
        self._probe_seconds = seconds if probe_seconds is None else probe_seconds
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._open_until = 0.0

    @property
    def fault(self) -> Fault | None:
        """Return the fault of the last call, or None after a success."""
        return self._fault

    def reset(self) -> None:
        """Close the circuit, as after the start."""
        with self._lock:
            self._fault = None

    def call(self, function: Callable[[], T]) -> T:
        """Call a function, and return or raise what it does.

        Raises:
            Fault: the circuit is open.
        """
        if self._fault is not None:
            with self._lock:
                self._enter()
        try:
            result = function()
        except self._faults as fault:
            with self._lock:
                self._fault, self._open_until = fault, time.monotonic() + self._seconds
            raise
        if self._fault is not None:
            with self._lock:
                self._fault = None
        return result

    def _enter(self) -> None:
        if self._fault is None:
            return
        now = time.monotonic()
        if now < self._open_until:
            raise self._refusal(self._fault)
        self._open_until = now + self._probe_seconds  # This call is the probe.
