"""The RQ worker: each message runs in a fork of its own, so that no page can hang or break the worker."""

from __future__ import annotations

import time
from typing import Any

from flask import current_app
from loguru import logger
from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute
from rq.worker import DequeueStrategy

import backend
from backend.extensions import after_fork, connect_redis, current_settings, db
from backend.jobs.messages import DeclaredWorker
from backend.jobs.queue import QUEUES, unmark
from backend.jobs.registry import load_jobs
from config import Settings

HEARTBEATS = "fuze:workers"
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


# Run once before the first fork, by dotted name: what a fork inherits it need not load again for every message.
WARM_UPS = ("backend.bookmarks.jobs.warm_up",)


def run_worker(settings: Settings) -> None:
    """Serve the queues until SIGTERM; the message in hand is finished first."""
    app = backend.create_app(settings)
    with app.app_context():
        for name in WARM_UPS:
            import_attribute(name)()
        make_worker().work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)


def make_worker(**options: Any) -> FuzeWorker:
    """A worker for all queues, within an application context."""
    load_jobs()
    connection = connect_redis(current_settings())
    logger.info("worker serves {} of {}", ", ".join(QUEUES), current_app.name)
    return FuzeWorker(
        list(QUEUES),
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=25,
        job_monitoring_interval=10,
        log_job_description=False,
        **options,
    )


def live_workers(connection: Redis) -> int:
    """How many workers gave a sign of life lately. One round trip.

    Raises:
        redis.RedisError: Redis is away.
    """
    return int(connection.zcount(HEARTBEATS, time.time() - STALE_SECONDS, "+inf"))
