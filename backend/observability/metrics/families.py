"""Families of metrics: everything that processes count themselves, in one place. `docs/metrics.md` is for operators.

Labels have few values: templates of routes, names of jobs, kinds and outcomes. None is a path, an id or an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram, values
from prometheus_client.utils import floatToGoString

from backend.observability.metrics.values import SharedValue

# Before the first metric is made: each makes its values by this class.
values.ValueClass = SharedValue

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUERY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
LOOKUP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
WORK_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
RECORD_BUCKETS = (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)
BYTE_BUCKETS = (10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0, 67_108_864.0)

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Family:
    """What is known of a family beside its values."""

    name: str
    kind: Kind
    help_text: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


# By name. A value of another family, as an earlier version may have left it, is not reported.
FAMILIES: dict[str, Family] = {}


def bucket_label(bound: float) -> str:
    """Return the upper bound of a bucket as prometheus-client writes it."""
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _family(name: str, kind: Kind, help_text: str, labels: tuple[str, ...], buckets: tuple[float, ...] = ()) -> str:
    full_name = f"fuze_{name}"
    FAMILIES[full_name] = Family(full_name, kind, help_text, labels, buckets)
    return full_name


def _counter(name: str, help_text: str, *labels: str) -> Counter:
    return Counter(_family(name, "counter", help_text, labels), help_text, labels, registry=None)


def _gauge(name: str, help_text: str) -> Gauge:
    """Make a gauge that is added up over living processes."""
    return Gauge(_family(name, "gauge", help_text, ()), help_text, registry=None, multiprocess_mode="livesum")


def _moment(name: str, help_text: str) -> Gauge:
    """Make a gauge of when something was last done, by whichever process."""
    return Gauge(_family(name, "gauge", help_text, ()), help_text, registry=None, multiprocess_mode="max")


def _histogram(name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    full_name = _family(name, "histogram", help_text, labels, buckets)
    return Histogram(full_name, help_text, labels, registry=None, buckets=buckets)


REQUEST_FAMILY = "fuze_http_request_duration_seconds"
REQUEST_DURATION = _histogram(
    "http_request_duration_seconds",
    "Time until the response begins, by method, template of the route and status.",
    REQUEST_BUCKETS,
    *("method", "route", "status"),
)
REQUESTS_IN_PROGRESS = _gauge(
    "http_requests_in_progress", "Requests that are being answered now; cached responses of the fast path left out."
)
LIMIT_FAMILY = "fuze_rate_limit_requests"
RATE_LIMITED = _counter(
    "rate_limit_requests", "Requests that the rate limits allowed or refused, by class of route.", "class", "outcome"
)
CACHE_LOOKUP_DURATION = _histogram(
    "cache_lookup_duration_seconds",
    "Time of the round trip to Redis that looks a response up; one of 16 lookups is measured.",
    LOOKUP_BUCKETS,
)

QUERY_DURATION = _histogram(
    "db_query_duration_seconds", "Time of an SQL statement until its first row, by kind.", QUERY_BUCKETS, "kind"
)
QUERY_ERRORS = _counter("db_query_errors", "SQL statements that PostgreSQL refused or that were cut off.")
POOL_SIZE = _gauge("db_pool_size", "Connections to PostgreSQL that processes may keep open.")
POOL_CAPACITY = _gauge("db_pool_capacity", "Connections to PostgreSQL that processes may open, overflow included.")
CONNECTIONS_OPEN = _gauge("db_connections_open", "Connections to PostgreSQL that are open.")
CONNECTIONS_CHECKED_OUT = _gauge("db_connections_checked_out", "Connections to PostgreSQL that are in use.")
POOL_OVERFLOW = _gauge("db_pool_overflow", "Open connections to PostgreSQL beyond the size of the pools.")
POOL_TIMEOUTS = _counter("db_pool_timeouts", "Requests that waited in vain for a connection to PostgreSQL.")
REPLICA_READS = _counter(
    "replica_reads", "Reads that a replica may answer, by outcome: replica, or why the primary answered.", "outcome"
)

JOB_DURATION = _histogram(
    "job_duration_seconds",
    "Time of a message in a worker, by name of the job and outcome.",
    WORK_BUCKETS,
    "job",
    "outcome",
)
DURABLE_JOB_DURATION = _histogram(
    "durable_job_duration_seconds",
    "Time of an attempt at a job that a person asked for, by kind and outcome.",
    WORK_BUCKETS,
    *("kind", "outcome"),
)
SCHEDULER_PASS = _moment("scheduler_last_pass_timestamp_seconds", "When the scheduler last sent what was due.")

CAPTURE_DURATION = _histogram(
    "capture_duration_seconds", "Time from the claim of a page until its result, by outcome.", WORK_BUCKETS, "outcome"
)
IMPORTS = _counter("imports", "Files that were imported, by format and outcome.", "format", "outcome")
IMPORT_RECORDS = _histogram("import_records", "Records in an imported file.", RECORD_BUCKETS)
IMPORT_BYTES = _histogram("import_bytes", "Size of an imported file in bytes.", BYTE_BUCKETS)
SEARCH_DURATION = _histogram("search_duration_seconds", "Time of a search, by mode.", REQUEST_BUCKETS, "mode")
DEGRADED_SEARCHES = _counter("degraded_searches", "Searches that went by words alone although meaning was asked for.")
LLM_CALLS = _counter("llm_calls", "Calls of language models, by outcome.", "outcome")
LLM_TOKENS = _counter("llm_tokens", "Tokens of language models, by direction.", "direction")
MAILS = _counter("mails", "Attempts to send a mail, by outcome.", "outcome")

REGISTRATIONS = _counter("registrations", "Accounts that people made.")
LOGINS = _counter("logins", "Attempts to log in with a password, by outcome.", "outcome")
BOOKMARKS_CREATED = _counter("bookmarks_created", "Bookmarks that were saved, by source.", "source")
PROJECTS_CREATED = _counter("projects_created", "Projects that were made.")
PROJECTS_COMPLETED = _counter("projects_completed", "Changes of a project's status to done.")
TASKS_CREATED = _counter("tasks_created", "Tasks that were made.")
TASKS_COMPLETED = _counter("tasks_completed", "Tasks that were done.")
ACTIVITIES = _counter("activities", "Events of the activity log, by type.", "type")
