"""Scheduled jobs of the job table, and of packages below it."""

from __future__ import annotations

from backend.http.idempotency.jobs import purge_idempotency_keys
from backend.jobs.queue import send, waiting_keys
from backend.jobs.registry import job
from backend.jobs.running import due_job_messages

RESEND_LIMIT = 1_000

# `http` stands below `jobs` and cannot declare a job itself.
job("idempotency.purge_idempotency_keys")(purge_idempotency_keys)


@job("jobs.resend_due_jobs")
def resend_due_jobs() -> None:
    """Send messages again for due jobs that have none."""
    messages = due_job_messages(RESEND_LIMIT)
    waiting = {key for queue in {message.queue for message in messages} for key in waiting_keys(queue)}
    send([message for message in messages if message.key not in waiting])
