"""The scheduler: sends the messages of scheduled jobs, and survives a Redis that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import redis
from flask import Flask
from loguru import logger
from redis.client import Pipeline
from rq.cron import CronJob, CronScheduler

from backend.clock import utc_now
from backend.jobs.queue import Message, clear_lost_marks, send
from backend.observability.flushing import flush_telemetry
from backend.observability.logging import configure_logging
from backend.observability.metrics.recording import record_scheduler_pass
from backend.observability.metrics.storage import storage
from backend.observability.stdlib_logging import begin_process
from backend.redis.client import bind_redis, connect_redis
from config import Settings

RECONNECT_SECONDS = 2
# Key of the time of the last pass, in seconds since 1970.
LAST_PASSED_AT = "fuze:scheduler-at"


@dataclass(frozen=True)
class ScheduledJob:
    """A declared job and its schedule: an interval in seconds, or a cron line in local time.

    Passes only look for due rows and send their messages, so they take moments and have a queue of their own; jobs that
    do the work themselves go to the queue `bulk`.
    """

    function: str
    seconds: int | None = None
    cron: str | None = None
    queue: str = "maintenance"


def scheduled_jobs(reconcile_seconds: int) -> list[ScheduledJob]:
    """Return all scheduled jobs."""
    return [
        ScheduledJob("capture.resend_due_pages", seconds=reconcile_seconds),
        ScheduledJob("index.resend_due_work", seconds=reconcile_seconds),
        ScheduledJob("bookmarks.resend_due_documents", seconds=reconcile_seconds),
        ScheduledJob("search.resend_due_suggestions", seconds=reconcile_seconds),
        ScheduledJob("jobs.resend_due_jobs", seconds=reconcile_seconds),
        ScheduledJob("organizations.purge_deleted_organizations", seconds=reconcile_seconds, queue="bulk"),
        ScheduledJob("recommendations.resend_due_subjects", seconds=reconcile_seconds),
        ScheduledJob("auth.repeat_revocations", seconds=reconcile_seconds),
        ScheduledJob("mail.resend_due_mails", seconds=reconcile_seconds),
        ScheduledJob("digests.resend_due_digests", seconds=reconcile_seconds),
        ScheduledJob("profile.resend_removals", seconds=reconcile_seconds),
        ScheduledJob("bookmarks.purge_trash", cron="17 3 * * *", queue="bulk"),
        ScheduledJob("projects.purge_trash", cron="22 3 * * *", queue="bulk"),
        ScheduledJob("tasks.purge_trash", cron="27 3 * * *", queue="bulk"),
        ScheduledJob("capture.check_links", cron="*/5 * * * *", queue="bulk"),
        ScheduledJob("capture.schedule_link_checks", cron="42 3 * * *", queue="bulk"),
        ScheduledJob("index.remove_superseded_vectors", cron="37 * * * *", queue="bulk"),
        ScheduledJob("recommendations.purge_recommendations", cron="32 3 * * *", queue="bulk"),
        ScheduledJob("auth.purge_sessions", cron="47 3 * * *", queue="bulk"),
        ScheduledJob("auth.purge_mail_tokens", cron="52 3 * * *", queue="bulk"),
        ScheduledJob("auth.purge_security_events", cron="53 3 * * *", queue="bulk"),
        ScheduledJob("auth.purge_registrations", cron="54 3 * * *", queue="bulk"),
        ScheduledJob("idempotency.purge_idempotency_keys", cron="27 * * * *", queue="bulk"),
        ScheduledJob("mail.purge_mails", cron="57 3 * * *", queue="bulk"),
        ScheduledJob("transfer.purge_imports", cron="12 * * * *", queue="bulk"),
        ScheduledJob("dashboard.purge_exports", cron="22 * * * *", queue="bulk"),
        ScheduledJob("profile.purge_exports", cron="58 * * * *", queue="bulk"),
        ScheduledJob("activity.roll_up", cron="*/15 * * * *", queue="bulk"),
        ScheduledJob("activity.flush_searches", seconds=reconcile_seconds, queue="bulk"),
        ScheduledJob("activity.make_partitions", cron="2 4 * * *", queue="bulk"),
        ScheduledJob("activity.purge", cron="4 4 * * *", queue="bulk"),
        ScheduledJob("organizations.purge_invitations", cron="7 4 * * *", queue="bulk"),
    ]


class FuzeScheduler(CronScheduler):
    """RQ's cron scheduler with our messages; it waits for Redis where RQ's would exit."""

    def add(self, work: ScheduledJob) -> None:
        """Add a scheduled job."""
        self.get_jobs().append(CronJob(work.queue, func_name=work.function, interval=work.seconds, cron=work.cron))

    def enqueue_jobs(self) -> list[CronJob]:
        """Send the messages of due jobs, unless one waits already."""
        due = [job for job in self.get_jobs() if job.should_run()]
        if due and self._send(due):
            for job in due:
                job.set_enqueue_time(utc_now())
        return []  # Nothing for RQ to record: due work is a row in PostgreSQL.

    def register_birth(self) -> None:
        """Register with RQ, if Redis answers."""
        with _tolerating_redis():
            super().register_birth()

    def register_death(self, pipeline: Pipeline | None = None) -> None:
        """Deregister from RQ, if Redis answers."""
        with _tolerating_redis():
            super().register_death(pipeline)

    def heartbeat(self) -> None:
        """Send RQ's heartbeat after a pass, and say when that was, if Redis answers."""
        with _tolerating_redis():
            super().heartbeat()
            self.connection.set(LAST_PASSED_AT, time.time())
            record_scheduler_pass()

    def _send(self, due: list[CronJob]) -> bool:
        messages = [Message(job.func_name, queue=job.queue_name, timeout_seconds=600, once=True) for job in due]
        with _tolerating_redis():
            clear_lost_marks(messages)
            if send(messages):
                return True
        time.sleep(RECONNECT_SECONDS)
        return False


@contextmanager
def _tolerating_redis() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        logger.warning("scheduler: redis unavailable: {}", error)


def last_scheduler_pass(connection: redis.Redis) -> datetime | None:
    """Return when a scheduler last sent what was due; None if none has since Redis was set up. One round trip.

    Raises:
        redis.RedisError: Redis is away.
    """
    seconds = cast("bytes | None", connection.get(LAST_PASSED_AT))
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None


def run_scheduler(settings: Settings) -> None:
    """Run the scheduler until SIGTERM.

    It sends names of jobs alone, so it needs a context with Redis and nothing else of the application: a third of the
    memory.
    """
    begin_process("scheduler")
    configure_logging(settings)
    storage.use(settings.metrics_dir)
    app = Flask("fuze", static_folder=None)
    bind_redis(app, settings)
    with app.app_context():
        scheduler = FuzeScheduler(connect_redis(settings, socket_timeout=2), logging_level="WARNING")
        for work in scheduled_jobs(settings.RECONCILE_SECONDS):
            scheduler.add(work)
        send([Message("cache_warmup.warm_people_of_today", queue="bulk", timeout_seconds=600, once=True)])
        logger.info("scheduler sends due work every {} s", settings.RECONCILE_SECONDS)
        try:
            scheduler.start()  # type: ignore[no-untyped-call]
        finally:
            flush_telemetry()
