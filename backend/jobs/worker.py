"""The RQ worker: runs each message in a fork of its own, so that no message can hang or break the worker."""

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
from backend.jobs.queue import QUEUES, clear_mark
from backend.jobs.registry import load_jobs
from backend.observability.log_context import log_context
from backend.redis.client import connect_redis

HEARTBEATS = "fuze:workers"
# Separates the parts of a worker's name: worker, lane, and a suffix that is new at each start of the lane.
LANE_MARK = "/"
# Workers send a heartbeat every 10 s; one that is silent for this long counts as gone.
STALE_SECONDS = 45


class FuzeWorker(DeclaredWorker):
    """RQ worker with an application context for each message and a heartbeat for health checks."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Send RQ's heartbeat, and record it where health checks read it in one round trip."""
        super().heartbeat(timeout, pipeline)
        target: Redis | Pipeline = pipeline if pipeline is not None else self.connection
        target.zadd(HEARTBEATS, {self.name: time.time()})

    def register_death(self) -> None:
        """Remove the worker's heartbeat at once on an orderly stop."""
        super().register_death()  # type: ignore[no-untyped-call]
        self.connection.zrem(HEARTBEATS, self.name)
        self.connection.zremrangebyscore(HEARTBEATS, 0, time.time() - 3600)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Drop inherited connections in the fork, then run the message."""
        after_fork()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run one message; every log line names it, and the request that sent it."""
        request_id = (job.meta or {}).get("request_id", "")
        with log_context(request_id=request_id, message_id=job.id, job=job.func_name):
            try:
                clear_mark(job.func_name or "")
                return bool(super().perform_job(job, queue, execution))
            finally:
                db.session.remove()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a failed message as one line; RQ would put the traceback into the message."""
        logger.opt(exception=exc_info).error("job {} failed", job.func_name)


def make_worker(queues: Sequence[str] = QUEUES, kind: type[FuzeWorker] = FuzeWorker, **options: Any) -> FuzeWorker:
    """Create a worker for some queues; needs an application context."""
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
    """Return the workers with a recent heartbeat, each with the lanes that sent one.

    One round trip.

    Raises:
        redis.RedisError: Redis is away.
    """
    lanes_by_worker: dict[str, set[str]] = {}
    names = cast("list[bytes]", connection.zrangebyscore(HEARTBEATS, time.time() - STALE_SECONDS, "+inf"))
    for name in names:
        worker, *lane = name.decode().split(LANE_MARK)
        lanes_by_worker.setdefault(worker, set()).update(lane[:1])
    return lanes_by_worker
