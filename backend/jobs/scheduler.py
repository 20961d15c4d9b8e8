"""The scheduler: sends what must happen regularly, and outlives a Redis that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from loguru import logger
from redis.client import Pipeline
from rq.cron import CronJob, CronScheduler

import backend
from backend.clock import utc_now
from backend.jobs.queue import Message, send
from backend.redis.client import connect_redis
from config import Settings

RECONNECT_SECONDS = 2


@dataclass(frozen=True)
class Regular:
    """A declared job, by its name, and when it runs: every so many seconds, or by a cron line (local time).

    Passes look for what is due and send its messages: they take moments, and have a queue of their own. What does the
    work itself is long work.
    """

    function: str
    seconds: int | None = None
    cron: str | None = None
    queue: str = "maintenance"


def regular_work(reconcile_seconds: int) -> list[Regular]:
    """All that happens regularly."""
    return [
        Regular("capture.resend_due_pages", seconds=reconcile_seconds),
        Regular("index.resend_due_work", seconds=reconcile_seconds),
        Regular("bookmarks.resend_due_documents", seconds=reconcile_seconds),
        Regular("search.resend_due_suggestions", seconds=reconcile_seconds),
        Regular("jobs.resend_due_jobs", seconds=reconcile_seconds),
        Regular("organizations.purge_deleted_organizations", seconds=reconcile_seconds, queue="bulk"),
        Regular("recommendations.resend_due_subjects", seconds=reconcile_seconds),
        Regular("auth.repeat_revocations", seconds=reconcile_seconds),
        Regular("mail.resend_due_mails", seconds=reconcile_seconds),
        Regular("profile.resend_removals", seconds=reconcile_seconds),
        Regular("bookmarks.purge_trash", cron="17 3 * * *", queue="bulk"),
        Regular("projects.purge_trash", cron="22 3 * * *", queue="bulk"),
        Regular("tasks.purge_trash", cron="27 3 * * *", queue="bulk"),
        Regular("index.remove_superseded_vectors", cron="37 * * * *", queue="bulk"),
        Regular("recommendations.purge_recommendations", cron="32 3 * * *", queue="bulk"),
        Regular("auth.purge_sessions", cron="47 3 * * *", queue="bulk"),
        Regular("auth.purge_mail_tokens", cron="52 3 * * *", queue="bulk"),
        Regular("auth.purge_security_events", cron="53 3 * * *", queue="bulk"),
        Regular("auth.purge_registrations", cron="54 3 * * *", queue="bulk"),
        Regular("idempotency.purge_idempotency_keys", cron="27 * * * *", queue="bulk"),
        Regular("mail.purge_mails", cron="57 3 * * *", queue="bulk"),
        Regular("profile.purge_exports", cron="58 3 * * *", queue="bulk"),
        Regular("capture.check_links", cron="*/5 * * * *", queue="bulk"),
        Regular("capture.schedule_link_checks", cron="42 3 * * *", queue="bulk"),
        Regular("transfer.purge_imports", cron="12 * * * *", queue="bulk"),
        Regular("organizations.purge_invitations", cron="7 4 * * *", queue="bulk"),
    ]


class FuzeScheduler(CronScheduler):
    """RQ's cron, with messages sent our way, that waits for Redis where RQ's would end."""

    def add(self, work: Regular) -> None:
        """Run this from now on."""
        self.get_jobs().append(CronJob(work.queue, func_name=work.function, interval=work.seconds, cron=work.cron))

    def enqueue_jobs(self) -> list[CronJob]:
        """Send what is due and does not wait on the queue already."""
        due = [job for job in self.get_jobs() if job.should_run()]
        if due and self._send(due):
            for job in due:
                job.set_enqueue_time(utc_now())
        return []  # Nothing for RQ to record: what is due is seen in PostgreSQL, not in Redis.

    def register_birth(self) -> None:
        """Tell RQ's registry, if it is there to be told."""
        with _tolerating_redis():
            super().register_birth()

    def register_death(self, pipeline: Pipeline | None = None) -> None:
        """Tell RQ's registry, if it is there to be told."""
        with _tolerating_redis():
            super().register_death(pipeline)

    def heartbeat(self) -> None:
        """Tell RQ's registry, if it is there to be told."""
        with _tolerating_redis():
            super().heartbeat()

    def _send(self, due: list[CronJob]) -> bool:
        with _tolerating_redis():
            if send(Message(job.func_name, queue=job.queue_name, timeout_seconds=600, once=True) for job in due):
                return True
        time.sleep(RECONNECT_SECONDS)
        return False


@contextmanager
def _tolerating_redis() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        logger.warning("scheduler: redis unavailable: {}", error)


def run_scheduler(settings: Settings) -> None:
    """Send regular work until SIGTERM."""
    app = backend.create_app(settings)
    with app.app_context():
        scheduler = FuzeScheduler(connect_redis(settings, socket_timeout=2), logging_level="WARNING")
        for work in regular_work(settings.RECONCILE_SECONDS):
            scheduler.add(work)
        send([Message("cache_warmup.warm_people_of_today", queue="bulk", timeout_seconds=600, once=True)])
        logger.info("scheduler sends due work every {} s", settings.RECONCILE_SECONDS)
        scheduler.start()  # type: ignore[no-untyped-call]
