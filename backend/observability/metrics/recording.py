"""Recording of metrics: what features say has happened. Each call adds to values of this process and sends nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Literal

from backend.observability.metrics import families

# One of so many lookups is measured: to measure one takes a hundredth of a cached response's time.
LOOKUPS_PER_MEASUREMENT = 16
_lookups = count()
# Of a read that a replica may answer: it did; the caller's data were written a moment ago; the replica is away or too
# far behind; Redis does not say when they were written; the replica has failed.
ReadOutcome = Literal["replica", "written", "lagging", "unknown", "failed"]


def is_lookup_measured() -> bool:
    """Return whether to measure the next lookup in the response cache."""
    return next(_lookups) % LOOKUPS_PER_MEASUREMENT == 0


def record_lookup(seconds: float) -> None:
    """Record a lookup that was to be measured."""
    families.CACHE_LOOKUP_DURATION.observe(seconds)


@contextmanager
def request_in_progress() -> Iterator[None]:
    """Count a request as in progress."""
    families.REQUESTS_IN_PROGRESS.inc()
    try:
        yield
    finally:
        families.REQUESTS_IN_PROGRESS.dec()


def record_replica_read(outcome: ReadOutcome) -> None:
    """Record a read that a replica may answer: that it did, or why the primary had to."""
    families.REPLICA_READS.labels(outcome).inc()


def record_job(name: str, outcome: str, seconds: float) -> None:
    """Record a message that a worker has run; `name` is that of a declared job."""
    families.JOB_DURATION.labels(name, outcome).observe(seconds)


def record_durable_job(kind: str, outcome: str, seconds: float) -> None:
    """Record an attempt at a durable job."""
    families.DURABLE_JOB_DURATION.labels(kind, outcome).observe(seconds)


def record_scheduler_pass() -> None:
    """Record that the scheduler has sent what was due."""
    families.SCHEDULER_PASS.set(time.time())


def record_capture(outcome: str, seconds: float) -> None:
    """Record the end of a claim of a page."""
    families.CAPTURE_DURATION.labels(outcome).observe(max(seconds, 0.0))


def record_import(form: str, outcome: str, *, records: int, size: int) -> None:
    """Record the end of an import: its format, its records, and the size of its file in bytes."""
    families.IMPORTS.labels(form, outcome).inc()
    families.IMPORT_RECORDS.observe(records)
    families.IMPORT_BYTES.observe(size)


def record_search(mode: str, seconds: float, *, is_degraded: bool) -> None:
    """Record a search."""
    families.SEARCH_DURATION.labels(mode).observe(seconds)
    if is_degraded:
        families.DEGRADED_SEARCHES.inc()


def record_llm_call(outcome: str, *, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
    """Record a call of a language model."""
    families.LLM_CALLS.labels(outcome).inc()
    families.LLM_TOKENS.labels("prompt").inc(prompt_tokens)
    families.LLM_TOKENS.labels("completion").inc(completion_tokens)


def record_mail(outcome: str) -> None:
    """Record an attempt to send a mail."""
    families.MAILS.labels(outcome).inc()


def record_registration() -> None:
    """Record a new account."""
    families.REGISTRATIONS.inc()


def record_login(outcome: str) -> None:
    """Record an attempt to log in."""
    families.LOGINS.labels(outcome).inc()


def record_created(kind: Literal["bookmark", "project", "task"], number: int, source: str = "") -> None:
    """Record new things; of bookmarks, by where they came from."""
    if kind == "bookmark":
        families.BOOKMARKS_CREATED.labels(source).inc(number)
    else:
        (families.PROJECTS_CREATED if kind == "project" else families.TASKS_CREATED).inc(number)


def record_completed(kind: Literal["project", "task"], number: int) -> None:
    """Record things that were done."""
    (families.PROJECTS_COMPLETED if kind == "project" else families.TASKS_COMPLETED).inc(number)


def record_activity_event(kind: str) -> None:
    """Record an event of the activity log."""
    families.ACTIVITIES.labels(kind).inc()


def record_pool_timeout() -> None:
    """Record a request that found no free connection to PostgreSQL."""
    families.POOL_TIMEOUTS.inc()
