"""The text of GET /metrics: what all processes have counted, then what is read for the scrape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from flask import Flask, current_app
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as open_metrics
from prometheus_client.registry import Collector
from werkzeug.datastructures import MIMEAccept

from backend.health.parallel import ParallelChecks
from backend.metrics.state import DOWN, READERS, described
from backend.observability.metrics.exemplars import exemplar_storage
from backend.observability.metrics.reading import SharedMetrics

# Below the usual time-out of a scrape, 10 s: what does not answer by then is left out.
BUDGET_SECONDS = 1.0
OPEN_METRICS = "application/openmetrics-text"
RENDERED = (OPEN_METRICS, "text/plain", "text/*", "*/*")


class ServiceState(Collector):
    """Collector of what is read at the time of the scrape: servers, queues, workers, cache, disk."""

    def __init__(self, app: Flask) -> None:
        """Read nothing yet."""
        self._checks = ParallelChecks(app)

    def collect(self) -> Iterator[Metric]:
        """Yield every family; of a server that does not answer, only that it is down."""
        found = {**DOWN, **self._checks.run(READERS, BUDGET_SECONDS)}
        yield from described([sample for samples in found.values() for sample in samples])


def bind_metrics(app: Flask) -> None:
    """Attach the metrics of an application."""
    registry = app.extensions["metrics"] = CollectorRegistry()
    registry.register(SharedMetrics())
    registry.register(ServiceState(app))


def render_metrics(accepted: MIMEAccept) -> tuple[bytes, str]:
    """Return all metrics and their content type: the text format of Prometheus.

    OpenMetrics is for scrapers that prefer it, where traces are on: it alone carries exemplars.
    """
    registry = cast(CollectorRegistry, current_app.extensions["metrics"])
    if exemplar_storage.directory is not None and _prefers_open_metrics(accepted):
        return open_metrics.generate_latest(registry), open_metrics.CONTENT_TYPE_LATEST  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def _prefers_open_metrics(accepted: MIMEAccept) -> bool:
    # The best first. Scrapers name versions, which Werkzeug would compare.
    kinds = (kind.partition(";")[0].strip().lower() for kind, quality in accepted if quality > 0)
    return next((kind for kind in kinds if kind in RENDERED), "") == OPEN_METRICS
