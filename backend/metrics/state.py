"""State of the service at the time of a scrape: servers, queues, workers, response cache, disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

import redis
from prometheus_client.core import Metric
from rq import Queue
from sqlalchemy.exc import SQLAlchemyError

from backend.capture.turns import count_due_captures
from backend.extensions import current_settings
from backend.health.queries import count_failing_mails, oldest_due_seconds
from backend.health.revisions import code_revision
from backend.http.response_cache.statistics import read_statistics
from backend.index.embeddings import count_pending_embeddings
from backend.jobs.lanes import LANES
from backend.jobs.messages import dropped_messages
from backend.jobs.queue import QUEUES
from backend.jobs.worker import last_heartbeats, live_workers
from backend.observability.metrics.storage import metrics_files, storage
from backend.redis.client import redis_client
from backend.replica.service import bound_replica
from config import VERSION


class StateFamily(NamedTuple):
    """A family that is read at the time of the scrape: kind, help text, and names of its labels."""

    kind: str
    help_text: str
    labels: tuple[str, ...] = ()


class StateSample(NamedTuple):
    """A value, and those of its labels."""

    family: str
    value: float
    labels: tuple[str, ...] = ()


FAMILIES = {
    "fuze_build_info": StateFamily("gauge", "Version and revision of the code; always 1.", ("version", "revision")),
    "fuze_processes": StateFamily(
        "gauge", "Living processes that have counted something: web processes, lanes, jobs, the scheduler."
    ),
    "fuze_disk_free_bytes": StateFamily("gauge", "Free bytes on the disk of the data directory."),
    "fuze_disk_size_bytes": StateFamily("gauge", "Bytes of the disk of the data directory."),
    "fuze_database_up": StateFamily("gauge", "1 if PostgreSQL answers, else 0."),
    "fuze_replica_lag_seconds": StateFamily(
        "gauge", "For so long the replica lacks commits at most, as the process that answers has measured it."
    ),
    "fuze_due_captures": StateFamily("gauge", "Pages that are due to be read."),
    "fuze_pending_embeddings": StateFamily("gauge", "Bookmarks that wait for a vector."),
    "fuze_failing_mails": StateFamily("gauge", "Mails that wait for another try after one that failed."),
    "fuze_oldest_due_seconds": StateFamily("gauge", "For how long the first job or page has been due.", ("work",)),
    "fuze_redis_up": StateFamily("gauge", "1 if Redis answers, else 0."),
    "fuze_redis_memory_bytes": StateFamily("gauge", "Memory that Redis uses for data."),
    "fuze_redis_memory_max_bytes": StateFamily("gauge", "Memory that Redis may use for data; 0: no limit."),
    "fuze_queue_messages": StateFamily("gauge", "Messages that wait on a queue.", ("queue",)),
    "fuze_workers": StateFamily("gauge", "Workers that gave a sign of life lately, by lane.", ("lane",)),
    "fuze_worker_last_heartbeat_timestamp_seconds": StateFamily(
        "gauge", "When a worker last gave a sign of life, by lane.", ("lane",)
    ),
    "fuze_dropped_messages": StateFamily("counter", "Malformed messages that workers dropped, by reason.", ("reason",)),
    "fuze_cache_requests": StateFamily(
        "counter", "Lookups in the response cache, by namespace and outcome.", ("namespace", "outcome")
    ),
    "fuze_cache_errors": StateFamily("counter", "Calls of Redis that failed."),
}


def described(samples: Iterable[StateSample]) -> Iterator[Metric]:
    """Yield every family with its samples, also those without any."""
    metrics = {name: Metric(name, family.help_text, family.kind) for name, family in FAMILIES.items()}
    for name, value, labels in samples:
        suffix = "_total" if FAMILIES[name].kind == "counter" else ""
        named = dict(zip(FAMILIES[name].labels, labels, strict=True))
        metrics[name].add_sample(name + suffix, named, value)
    yield from metrics.values()


def read_process() -> list[StateSample]:
    """Read what needs no server."""
    settings = current_settings()
    disk = shutil.disk_usage(settings.FUZE_DATA_DIR)
    alive = sum(is_alive for _, is_alive in metrics_files(storage.directory)) if storage.directory else 0
    revision = settings.GIT_REVISION or code_revision() or ""
    return [
        StateSample("fuze_build_info", 1, (VERSION, revision)),
        StateSample("fuze_processes", alive),
        StateSample("fuze_disk_free_bytes", disk.free),
        StateSample("fuze_disk_size_bytes", disk.total),
        *_replica(),
    ]


def _replica() -> list[StateSample]:
    replica = bound_replica()
    lag = replica.monitor.lag() if replica is not None else None
    return [StateSample("fuze_replica_lag_seconds", lag)] if lag is not None else []


def read_database() -> list[StateSample]:
    """Read what waits in PostgreSQL."""
    try:
        due = [StateSample("fuze_oldest_due_seconds", age, (work,)) for work, age in oldest_due_seconds().items()]
        return [
            StateSample("fuze_database_up", 1),
            StateSample("fuze_due_captures", count_due_captures()),
            StateSample("fuze_pending_embeddings", count_pending_embeddings()),
            StateSample("fuze_failing_mails", count_failing_mails()),
            *due,
        ]
    except SQLAlchemyError:
        return DOWN["database"]


def read_redis() -> list[StateSample]:
    """Read queues, workers and the counts of the response cache."""
    try:
        return [StateSample("fuze_redis_up", 1), *_queues(), *_workers(), *_cache(), *_memory()]
    except redis.RedisError:
        return DOWN["redis"]


READERS: dict[str, Callable[[], list[StateSample]]] = {
    "process": read_process,
    "database": read_database,
    "redis": read_redis,
}
# In place of the samples of a reader that does not come to an end.
DOWN: dict[str, list[StateSample]] = {
    "database": [StateSample("fuze_database_up", 0)],
    "redis": [StateSample("fuze_redis_up", 0)],
}


def _queues() -> Iterator[StateSample]:
    with redis_client().pipeline(transaction=False) as pipeline:
        for name in QUEUES:
            pipeline.llen(Queue.redis_queue_namespace_prefix + name)
        for name, length in zip(QUEUES, pipeline.execute(), strict=True):
            yield StateSample("fuze_queue_messages", length, (name,))
    for reason, number in sorted(dropped_messages(redis_client()).items()):
        yield StateSample("fuze_dropped_messages", number, (reason,))


def _workers() -> Iterator[StateSample]:
    lanes_of_workers = live_workers(redis_client()).values()
    beats = last_heartbeats(redis_client())
    for lane in LANES:
        # A worker that names no lanes serves all.
        serving = sum(not lanes or lane.name in lanes for lanes in lanes_of_workers)
        yield StateSample("fuze_workers", serving, (lane.name,))
        if (moment := max(beats.get(lane.name, 0.0), beats.get("", 0.0))) > 0:
            yield StateSample("fuze_worker_last_heartbeat_timestamp_seconds", moment, (lane.name,))


def _cache() -> Iterator[StateSample]:
    statistics = read_statistics()
    if not statistics.connected:
        return
    yield StateSample("fuze_cache_errors", statistics.errors)
    for namespace, counts in statistics.namespaces.items():
        yield StateSample("fuze_cache_requests", counts.hits, (namespace, "hit"))
        yield StateSample("fuze_cache_requests", counts.misses, (namespace, "miss"))


def _memory() -> Iterator[StateSample]:
    try:
        memory = cast("dict[str, float]", redis_client().info("memory"))
    except redis.ResponseError:
        return  # INFO may be forbidden; that is no fault.
    yield StateSample("fuze_redis_memory_bytes", memory["used_memory"])
    yield StateSample("fuze_redis_memory_max_bytes", memory["maxmemory"])
