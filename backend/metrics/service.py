"""The text of GET /metrics: what all processes have counted, then what is read for the scrape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from flask import Flask, current_app
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from backend.health.parallel import ParallelChecks
from backend.metrics.state import DOWN, READERS, described
from backend.observability.metrics.reading import SharedMetrics

# Below the usual time-out of a scrape, 10 s: what does not answer by then is left out.
BUDGET_SECONDS = 1.0


class ServiceState(Collector):
    """Collector of what is read at the time of the scrape: servers, queues, workers, cache, disk."""

    def __init__(self, app: Flask) -> None:
        """Read nothing yet."""
        self._checks = ParallelChecks(app, BUDGET_SECONDS)

    def collect(self) -> Iterator[Metric]:
        """Yield every family; of a server that does not answer, only that it is down."""
        found = {**DOWN, **self._checks.run(READERS)}
        yield from described([sample for samples in found.values() for sample in samples])


def bind_metrics(app: Flask) -> None:
    """Attach the metrics of an application."""
    registry = app.extensions["metrics"] = CollectorRegistry()
    registry.register(SharedMetrics())
    registry.register(ServiceState(app))


def render_metrics() -> bytes:
    """Return all metrics in the text format of Prometheus."""
    return generate_latest(cast(CollectorRegistry, current_app.extensions["metrics"]))
