"""The RQ worker: each message runs in a fork of its own, so that none can hang or break the worker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

from flask import current_app
from loguru import logger
from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from backend.database import after_fork
from backend.extensions import current_settings, db
from backend.jobs.messages import DeclaredWorker
from backend.jobs.queue import QUEUES, unmark
from backend.jobs.registry import load_jobs
from backend.redis.client import connect_redis

HEARTBEATS = "fuze:workers"
# Between the name of a worker, that of its lane, and what tells the lane from one before (`lanes.py`).
LANE_MARK = "/"
# An idle worker beats every 10 s, a busy one too; after this many seconds without a beat it counts as gone.
STALE_SECONDS = 45


class FuzeWorker(DeclaredWorker):
    """A worker that runs messages in our application context and proves itself by a heartbeat."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ's own heartbeat, and a mark that health checks read in one round trip."""
        super().heartbeat(timeout, pipeline)
        target: Redis | Pipeline = pipeline if pipeline is not None else self.connection
        target.zadd(HEARTBEATS, {self.name: time.time()})

    def register_death(self) -> None:
        """Leave at once when stopping on purpose."""
        super().register_death()  # type: ignore[no-untyped-call]
        self.connection.zrem(HEARTBEATS, self.name)
        self.connection.zremrangebyscore(HEARTBEATS, 0, time.time() - 3600)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Runs in the fork: nothing is shared with the parent but memory."""
        after_fork()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """One message, with the id of the request that asked for it in every line it logs."""
        with logger.contextualize(request_id=(job.meta or {}).get("request_id", "")):
            try:
                unmark(job.func_name or "")
                return bool(super().perform_job(job, queue, execution))
            finally:
                db.session.remove()


def make_worker(queues: Sequence[str] = QUEUES, kind: type[FuzeWorker] = FuzeWorker, **options: Any) -> FuzeWorker:
    """A worker for some queues, within an application context."""
    load_jobs()
    connection = connect_redis(current_settings())
    logger.info("worker serves {} of {}", ", ".join(queues), current_app.name)
    return kind(
        list(queues),
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=25,
        job_monitoring_interval=10,
        log_job_description=False,
        **options,
    )


def live_workers(connection: Redis) -> dict[str, set[str]]:
    """The workers that gave a sign of life lately, each with the lanes of which it did; without lanes, it has none.

    One round trip.

    Raises:
        redis.RedisError: Redis is away.
    """
    found: dict[str, set[str]] = {}
    names = cast("list[bytes]", connection.zrangebyscore(HEARTBEATS, time.time() - STALE_SECONDS, "+inf"))
    for name in names:
        worker, *lane = name.decode().split(LANE_MARK)
        found.setdefault(worker, set()).update(lane[:1])
    return found
