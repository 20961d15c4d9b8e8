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

from backend.clock import utc_now
from backend.database import after_fork, is_away
from backend.extensions import current_settings, db
from backend.jobs.message_fields import MessageOrigin
from backend.jobs.messages import DeclaredJob, DeclaredWorker
from backend.jobs.queue import QUEUES, clear_mark
from backend.jobs.registry import load_jobs
from backend.observability.flushing import flush_telemetry
from backend.observability.log_context import log_context
from backend.observability.metrics.recording import record_job
from backend.redis.client import connect_redis
from backend.spans import annotate_span, continued_span

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
        started, is_done = time.perf_counter(), False
        origin = MessageOrigin(**(job.meta or {}))
        try:
            with (
                continued_span(_job_name(job), "consumer", _span_attributes(job, queue), origin.traceparent),
                log_context(request_id=origin.request_id, message_id=job.id, job=job.func_name),
            ):
                try:
                    clear_mark(job.func_name or "")
                    is_done = bool(super().perform_job(job, queue, execution))
                    return is_done
                finally:
                    annotate_span(fault="" if is_done else "failed")
                    record_job(_job_name(job), "succeeded" if is_done else "failed", time.perf_counter() - started)
                    db.session.remove()
        finally:
            if self._is_horse:
                flush_telemetry()  # The process ends without another word.

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a failed message; RQ would put the traceback into the message. The scheduler sends it again."""
        if is_away(exc_info[1]):
            logger.warning("job {} failed: the database is not available", job.func_name)
            return
        logger.opt(exception=exc_info).error("job {} failed", job.func_name)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """Count a message whose process was killed."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]
        seconds = (utc_now() - job.started_at).total_seconds() if job.started_at else 0.0
        record_job(_job_name(job), "killed", seconds)


def _span_attributes(job: Job, queue: Queue) -> dict[str, str]:
    origin = (job.meta or {}).get("request_id", "")
    named = {"messaging.system": "rq", "messaging.destination.name": queue.name, "messaging.message.id": job.id}
    return {**named, "fuze.request_id": origin}


def _job_name(job: Job) -> str:
    """Return the name of a declared job; the message may have it by an earlier one."""
    return job.declaration.name if isinstance(job, DeclaredJob) else "undeclared"


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


def last_heartbeats(connection: Redis) -> dict[str, float]:
    """Return the time of the last heartbeat from each lane, in seconds since 1970, also of workers that are gone.

    Under the empty name stands that of workers which name no lane. One round trip.

    Raises:
        redis.RedisError: Redis is away.
    """
    latest: dict[str, float] = {}
    beats = cast("list[tuple[bytes, float]]", connection.zrange(HEARTBEATS, 0, -1, withscores=True))
    for name, moment in beats:
        lane = next(iter(name.decode().split(LANE_MARK)[1:2]), "")
        latest[lane] = max(latest.get(lane, 0.0), moment)
    return latest
