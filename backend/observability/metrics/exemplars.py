"""Exemplars: of each bucket of the duration of requests the last trace that fell into it, for all processes.

They are stored as the values are, in files of their own, so that no counter wants for room. The id of a trace takes
three numbers. A fourth tells a reader whether the three belong together, since they are not written at once.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
from prometheus_client.samples import Exemplar

from backend.observability.metrics import families
from backend.observability.metrics.storage import UNREAD, MetricsStorage, Numbers, metrics_files, read_entries
from backend.observability.metrics.values import key_of

BOUNDS = families.REQUEST_BUCKETS
BUCKETS = [families.bucket_label(bound) for bound in (*BOUNDS, float("inf"))]
# A double holds integers of 53 bits exactly; an id has 128.
PART_BITS = 43
PART_MASK = (1 << PART_BITS) - 1
FIELDS = ("high", "middle", "low", "check", "seconds", "moment")
MODE = "exemplar"

# Labels of the histogram, the upper bound of the bucket last.
BucketKey = tuple[str, ...]


class StoredExemplar(NamedTuple):
    """A trace, the seconds until its response began, and when that was, in seconds since 1970."""

    trace_id: str
    seconds: float
    moment: float


exemplar_storage = MetricsStorage()
os.register_at_fork(after_in_child=exemplar_storage.forget_parent)

_places: dict[BucketKey, tuple[Numbers, list[int]]] = {}
_epoch: object = None


def exemplars_dir(metrics_dir: Path) -> Path:
    """Return where exemplars are stored."""
    return metrics_dir / "exemplars"


def record_exemplar(labels: tuple[str, str, str], seconds: float, trace_id: int) -> None:
    """Remember the trace of a response by method, route and status, and the seconds until it began."""
    key = (*labels, BUCKETS[bisect_left(BOUNDS, seconds)])
    parts = (trace_id >> 2 * PART_BITS, trace_id >> PART_BITS & PART_MASK, trace_id & PART_MASK)
    values = (*parts, _check(*parts), seconds, time.time())
    with exemplar_storage.lock:
        numbers, indexes = _place(key)
        for index, value in zip(indexes, values, strict=True):
            numbers[index] = value


def read_exemplars() -> dict[BucketKey, Exemplar]:
    """Return the last exemplar of each bucket; none where traces are off."""
    found: dict[BucketKey, StoredExemplar] = {}
    for fields in _stored():
        for key, exemplar in _decoded(fields):
            if key not in found or exemplar.moment > found[key].moment:
                found[key] = exemplar
    return {key: Exemplar({"trace_id": one.trace_id}, one.seconds, one.moment) for key, one in found.items()}


def _place(key: BucketKey) -> tuple[Numbers, list[int]]:
    """Return where an exemplar is stored; in a full file, where nobody reads. Call it under the lock."""
    global _epoch
    if _epoch is not exemplar_storage.epoch:
        _places.clear()
        _epoch = exemplar_storage.epoch
    if key not in _places:
        placed = [exemplar_storage.place(key_of(MODE, name, key, MODE)) for name in FIELDS]
        indexes = [index for _, index in placed]
        _places[key] = placed[-1][0], indexes if UNREAD not in indexes else [UNREAD] * len(FIELDS)
    return _places[key]


def _check(high: int, middle: int, low: int) -> int:
    return high ^ middle ^ low


def _stored() -> Iterator[Mapping[BucketKey, Mapping[str, float]]]:
    """Yield the numbers of each process by bucket and field."""
    for path, _ in metrics_files(exemplar_storage.directory) if exemplar_storage.directory else ():
        fields: dict[BucketKey, dict[str, float]] = defaultdict(dict)
        for stored_key, value in read_entries(path):
            _, _, name, labels = orjson.loads(stored_key)
            fields[tuple(labels)][name] = value
        yield fields


def _decoded(fields: Mapping[BucketKey, Mapping[str, float]]) -> Iterator[tuple[BucketKey, StoredExemplar]]:
    for key, values in fields.items():
        high, middle, low, check = (int(values.get(name, 0)) for name in FIELDS[:4])
        trace_id = high << 2 * PART_BITS | middle << PART_BITS | low
        if trace_id and check == _check(high, middle, low):
            yield key, StoredExemplar(f"{trace_id:032x}", values.get("seconds", 0.0), values.get("moment", 0.0))
