"""Answers timed by the client's clock, and what is said of many of them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx
import numpy as np


@dataclass(frozen=True)
class TimedAnswer:
    """One query, and how it was answered: times by the client's clock, and by the server's where it tells."""

    query: str
    milliseconds: float
    server_milliseconds: float | None
    status: int
    found: bool
    degraded: bool


@dataclass(frozen=True)
class Timings:
    """The answers to many queries, asked one after the other."""

    answers: Sequence[TimedAnswer]

    @property
    def p50(self) -> float:
        return self.percentile(50)

    @property
    def p95(self) -> float:
        return self.percentile(95)

    def percentile(self, percent: float) -> float:
        """In milliseconds, interpolated between the two nearest."""
        return float(np.percentile([answer.milliseconds for answer in self.answers], percent))

    @property
    def faults(self) -> Counter[int]:
        """How many answers had a status other than 200, by status."""
        return Counter(answer.status for answer in self.answers if answer.status != httpx.codes.OK)

    def slowest(self, count: int = 5) -> list[TimedAnswer]:
        """The slowest answers, slowest first."""
        return sorted(self.answers, key=lambda answer: -answer.milliseconds)[:count]

    def describe(self) -> str:
        """Percentiles in milliseconds, and what went wrong or found nothing."""
        times = [f"{name} {self.percentile(at):.1f}" for name, at in (("p50", 50), ("p95", 95), ("p99", 99))]
        slowest = max(answer.milliseconds for answer in self.answers)
        empty = sum(answer.status == httpx.codes.OK and not answer.found for answer in self.answers)
        degraded = sum(answer.degraded for answer in self.answers)
        notes = [f"{empty} of {len(self.answers)} found nothing"]
        notes += [f"{degraded} degraded"] if degraded else []
        notes += [f"NOT 200: {dict(self.faults)}"] if self.faults else []
        return f"{'  '.join([*times, f'max {slowest:.1f}'])} ms; {', '.join(notes)}"


def ask_all(client: httpx.Client, path: str, queries: Sequence[str], **params: str) -> Timings:
    """GET `path?q=…` for each query over one connection. The clock stops when the whole body is there."""
    answers = []
    for query in queries:
        sent: Mapping[str, str] = {"q": query, **params}
        started = time.perf_counter()
        answer = client.get(path, params=sent)
        milliseconds = (time.perf_counter() - started) * 1000
        body = answer.json() if answer.status_code == httpx.codes.OK else {}
        found, degraded = bool(body.get("items")), bool(body.get("degraded"))
        answers.append(TimedAnswer(query, milliseconds, body.get("took_ms"), answer.status_code, found, degraded))
    return Timings(answers)


def median_ms(call: Callable[[], httpx.Response], times: int = 15) -> float:
    """The median of several calls, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call().raise_for_status()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
