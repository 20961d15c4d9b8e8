"""Metrics of requests: what is counted for each response, by one function and under one lock.

The metrics of prometheus-client would take three times as long: a twentieth of a cached response.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from backend.observability.metrics import families
from backend.observability.metrics.storage import NOWHERE, UNREAD, storage
from backend.observability.metrics.values import key_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"
# Of a request that no route takes.
UNMATCHED = "unmatched"
BOUNDS = families.REQUEST_BUCKETS
BUCKETS = [families.bucket_label(bound) for bound in (*BOUNDS, float("inf"))]


class ResponseCounter:
    """Duration of the responses with one method, route and status, and what the rate limits said of them."""

    def __init__(self, labels: tuple[str, str, str], limited: tuple[str, str] | None) -> None:
        """Name the values; `limited` are the labels of the rate limits, None where nothing was limited."""
        duration, allowed = families.REQUEST_FAMILY, families.LIMIT_FAMILY
        self._sum_key = key_of(duration, f"{duration}_sum", labels)
        self._bucket_keys = [key_of(duration, f"{duration}_bucket", (*labels, bound)) for bound in BUCKETS]
        self._limit_key = key_of(allowed, f"{allowed}_total", limited) if limited else None
        self._epoch: object = None
        self._numbers, self._sum, self._limit = NOWHERE, 0, 0
        self._buckets: list[int] = []

    def record(self, seconds: float) -> None:
        """Count a response that took so long to begin."""
        with storage.lock:
            if self._epoch is not storage.epoch:
                self._find()
            numbers, at = self._numbers, bisect_left(BOUNDS, seconds)
            numbers[self._sum] += seconds
            numbers[self._buckets[at] or self._find_bucket(at)] += 1.0
            if self._limit:
                numbers[self._limit] += 1.0

    def _find(self) -> None:
        self._numbers, self._sum = storage.place(self._sum_key)
        self._buckets = [0] * len(BUCKETS)
        self._limit = self._place(self._limit_key) if self._limit_key else 0
        self._epoch = storage.epoch

    def _find_bucket(self, at: int) -> int:
        found = self._buckets[at] = self._place(self._bucket_keys[at])
        return found

    def _place(self, key: bytes) -> int:
        """Return where among the numbers a value is; in a file that is full, where nobody looks."""
        numbers, index = storage.place(key)
        return index if numbers is self._numbers else UNREAD


ResponseObserver = Callable[[str, str | None, int, float], None]

_counters: dict[tuple[str, str | None, int, str, bool], ResponseCounter] = {}
_observer: ResponseObserver | None = None


def observe_responses(observer: ResponseObserver | None) -> None:
    """Tell method, route, status and seconds of each response to somebody else too."""
    global _observer
    _observer = observer


def record_response(
    method: str, route: str | None, status: int, seconds: float, limit_class: str = "", is_allowed: bool = True
) -> None:
    """Record a response.

    Args:
        method: Of the request.
        route: The template of its route; None where none took it.
        status: Of the response.
        seconds: Until it began.
        limit_class: The class of the rate limits that it was counted in; empty where it was in none.
        is_allowed: Whether they let it pass.
    """
    counter = _counters.get((method, route, status, limit_class, is_allowed))
    if counter is None:
        counter = _new_counter(method, route, status, limit_class, is_allowed)
    counter.record(seconds)
    if _observer is not None:
        _observer(method, route, status, seconds)


def _new_counter(method: str, route: str | None, status: int, limit_class: str, is_allowed: bool) -> ResponseCounter:
    # Clients make methods up; those are not remembered.
    method = method if method in METHODS else OTHER_METHOD
    key = (method, route, status, limit_class, is_allowed)
    if key not in _counters:
        limited = (limit_class, "allowed" if is_allowed else "refused") if limit_class else None
        _counters[key] = ResponseCounter((method, route or UNMATCHED, str(status)), limited)
    return _counters[key]
