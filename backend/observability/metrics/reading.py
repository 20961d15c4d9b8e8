"""Reading of metrics: the values of all processes, merged, as families of prometheus-client."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate

import orjson
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from backend.observability.metrics.exemplars import BucketKey, read_exemplars
from backend.observability.metrics.families import FAMILIES, REQUEST_BUCKETS, REQUEST_FAMILY, Family, bucket_label
from backend.observability.metrics.storage import OF_LIVING, metrics_files, read_entries, storage

# Name of a sample, and the values of its labels; those of a bucket end with its upper bound.
SampleKey = tuple[str, tuple[str, ...]]
OF_MOMENTS = b'["max'
# What the template of a route begins with that clients of the API call.
OF_API = "/api/v1/"


class SharedMetrics(Collector):
    """Collector of what the processes have counted."""

    def collect(self) -> Iterator[Metric]:
        """Yield every family, also those without a value yet."""
        merged, exemplars = merged_values(), read_exemplars()
        for family in FAMILIES.values():
            metric = Metric(family.name, family.help_text, family.kind)
            values = merged.get(family.name, {})
            if family.kind == "histogram":
                _add_buckets(metric, family, values, exemplars if family.name == REQUEST_FAMILY else {})
            else:
                _add_numbers(metric, family, values)
            yield metric


def merged_values() -> dict[str, dict[SampleKey, float]]:
    """Return the values of all processes by family and sample: their sum, or of moments the latest."""
    merged: dict[bytes, float] = {}
    for path, is_alive in metrics_files(storage.directory) if storage.directory else ():
        for key, value in read_entries(path):
            if key.startswith(OF_MOMENTS):
                merged[key] = max(merged.get(key, 0.0), value)
            elif is_alive or not key.startswith(OF_LIVING):
                merged[key] = merged.get(key, 0.0) + value
    found: dict[str, dict[SampleKey, float]] = defaultdict(dict)
    for key, value in merged.items():
        family, sample = _parsed(key)
        found[family][sample] = value
    return found


def request_quantiles(*quantiles: float) -> list[float | None]:
    """Estimate quantiles of the seconds of all requests to the API since the start; None before the first."""
    counts = [0.0] * (len(REQUEST_BUCKETS) + 1)
    position = {bucket_label(bound): at for at, bound in enumerate((*REQUEST_BUCKETS, math.inf))}
    for (name, labels), value in merged_values().get(REQUEST_FAMILY, {}).items():
        if name.endswith("_bucket") and labels[1].startswith(OF_API):
            counts[position[labels[-1]]] += value
    return [estimated_quantile(quantile, REQUEST_BUCKETS, counts) for quantile in quantiles]


def estimated_quantile(quantile: float, bounds: Sequence[float], counts: Sequence[float]) -> float | None:
    """Estimate a quantile of a histogram by linear interpolation within a bucket; None of an empty one.

    As PromQL's `histogram_quantile` does: what lies above the highest bound is taken to be at that bound.
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile

    Args:
        quantile: Between 0 and 1.
        bounds: The upper bounds of the buckets, without the infinite one.
        counts: The number in each bucket, the infinite one included.
    """
    totals = list(accumulate(counts))
    if not totals[-1]:
        return None
    rank = quantile * totals[-1]
    at = bisect_left(totals, rank)
    if at >= len(bounds):
        return bounds[-1]
    below, start = (totals[at - 1], bounds[at - 1]) if at else (0.0, 0.0)
    return start + (bounds[at] - start) * (rank - below) / counts[at] if counts[at] else start


def _add_numbers(metric: Metric, family: Family, values: Mapping[SampleKey, float]) -> None:
    """Add the samples of a counter or gauge; one without labels has a value from the start."""
    sample = f"{family.name}_total" if family.kind == "counter" else family.name
    if not family.labels and not values:
        metric.add_sample(sample, {}, 0.0)
    for (name, labels), value in sorted(values.items()):
        if len(labels) == len(family.labels):
            metric.add_sample(name, dict(zip(family.labels, labels, strict=True)), value)


def _add_buckets(
    metric: Metric, family: Family, values: Mapping[SampleKey, float], exemplars: Mapping[BucketKey, Exemplar]
) -> None:
    """Add the samples of a histogram, with the buckets that nothing fell into."""
    bounds = [*map(bucket_label, (*family.buckets, math.inf))]
    labelled = {labels for name, labels in values if name.endswith("_sum") and len(labels) == len(family.labels)}
    for labels in sorted(labelled) if family.labels else [()]:
        named = dict(zip(family.labels, labels, strict=True))
        counts = [values.get((f"{family.name}_bucket", (*labels, bound)), 0.0) for bound in bounds]
        for bound, total in zip(bounds, accumulate(counts), strict=True):
            exemplar = exemplars.get((*labels, bound))
            metric.add_sample(f"{family.name}_bucket", {**named, "le": bound}, total, exemplar=exemplar)
        metric.add_sample(f"{family.name}_count", named, sum(counts))
        metric.add_sample(f"{family.name}_sum", named, values.get((f"{family.name}_sum", labels), 0.0))


@lru_cache(maxsize=16_384)
def _parsed(key: bytes) -> tuple[str, SampleKey]:
    _, family, name, labels = orjson.loads(key)
    return family, (name, tuple(labels))
