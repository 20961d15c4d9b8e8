"""Health checks: one function for each thing that the service depends on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal, TypeVar

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.ai.llm.service import server_model_fault
from backend.ai.service import embedding_fault
from backend.capture.turns import count_due_captures
from backend.clock import utc_now
from backend.extensions import current_settings, db
from backend.health.logs import check_logs
from backend.health.queries import count_failing_mails, database_revision, oldest_due_seconds
from backend.health.revisions import head_revision, known_revisions
from backend.health.schemas import (
    CheckOut,
    CheckStatus,
    EmbeddingsCheckOut,
    MailCheckOut,
    ReplicaCheckOut,
    WorkerCheckOut,
)
from backend.index.embeddings import count_pending_embeddings
from backend.jobs.lanes import LANE_NAMES
from backend.jobs.queue import queue_depth
from backend.jobs.scheduler import last_scheduler_pass
from backend.jobs.worker import STALE_SECONDS, live_workers
from backend.recommendations.queries import count_waiting
from backend.redis.client import redis_client
from backend.redis.faults import NO_ANSWER, redis_fault
from backend.redis.probe import probe_redis
from backend.replica.service import bound_replica
from backend.transfer.export_storage import export_storage

Check = TypeVar("Check", bound=CheckOut)
# Prefix of the policies by which Redis evicts keys without an expiry. Without maxmemory it evicts nothing.
EVICTS_ANYTHING = "allkeys"
# All checks together may take a second.
FIRST_MEASUREMENT_SECONDS = 0.8
NO_DATABASE = "PostgreSQL does not answer."
# The scheduler makes a pass at least once a minute.
SCHEDULER_SILENT = timedelta(seconds=150)
QUEUE_MAY_GO = "under pressure Redis may drop messages of the queue. Set it to volatile-ttl."


def _check_database() -> CheckOut:
    """Check that PostgreSQL answers."""
    return _timed(CheckOut, NO_DATABASE, _ping_database)


def _check_replica() -> ReplicaCheckOut:
    """Check that reads which may lag need not go to the primary."""
    replica = bound_replica()
    if replica is None:
        return ReplicaCheckOut(status="disabled", detail="DATABASE_REPLICA_URL is not set.")
    replica.monitor.wait(FIRST_MEASUREMENT_SECONDS)
    lag, fault = replica.monitor.lag(), replica.fault()
    lag = None if lag is None else round(lag, 2)
    return ReplicaCheckOut(status="degraded" if fault else "healthy", detail=fault, lag_seconds=lag)


def _check_readiness() -> CheckOut:
    """Check that requests can be served: PostgreSQL answers, and has all tables."""
    return _timed(CheckOut, NO_DATABASE, _compare_revisions)


def _check_redis() -> CheckOut:
    """Check that Redis answers, that the user has the rights it needs, and that the queue cannot be evicted."""
    return _timed(CheckOut, NO_ANSWER, _ping_redis)


def _check_worker() -> WorkerCheckOut:
    """Check that a worker sent a heartbeat within 45 s."""
    return _timed(WorkerCheckOut, "Redis does not answer, so workers cannot be seen.", _workers)


def _ping_database() -> dict[str, Any]:
    db.session.execute(text("SELECT 1"))
    return {}


def _compare_revisions() -> dict[str, Any]:
    revision = database_revision()
    if revision == head_revision():
        return {}
    if revision in known_revisions():
        return {"status": "unhealthy", "detail": "Migrations are missing: run `python -m backend db upgrade`."}
    # A newer version has migrated them; this one goes on until it is replaced.
    return {"detail": "The tables are those of another version."}


def _ping_redis() -> dict[str, Any]:
    probe_redis(redis_client())
    try:
        memory = redis_client().info("memory")
    except redis.ResponseError:
        # INFO may be forbidden; that is no fault.
        return {}
    policy = str(memory.get("maxmemory_policy", ""))
    if memory.get("maxmemory") and policy.startswith(EVICTS_ANYTHING):
        return {"status": "degraded", "detail": f"maxmemory-policy is {policy}: {QUEUE_MAY_GO}"}
    return {}


def _workers() -> dict[str, Any]:
    lanes = list(live_workers(redis_client()).values())
    last_pass = last_scheduler_pass(redis_client())
    values: dict[str, Any] = {
        "workers": len(lanes),
        "queue_depth": queue_depth() + _due_captures(),
        "oldest_due_seconds": _oldest_due(),
        "scheduler_last_pass": last_pass,
    }
    # A worker that names no lanes serves all.
    unserved = [] if not all(lanes) else sorted(LANE_NAMES - set().union(*lanes))
    if not lanes:
        values |= {"status": "unhealthy", "detail": f"No worker gave a sign of life within {STALE_SECONDS} s."}
    elif unserved:
        detail = f"No worker gave a sign of life within {STALE_SECONDS} s that serves: {', '.join(unserved)}."
        values |= {"status": "unhealthy", "detail": detail}
    elif last_pass is not None and utc_now() - last_pass > SCHEDULER_SILENT:
        values |= {
            "status": "degraded",
            "detail": f"The scheduler has been silent since {last_pass:%Y-%m-%d %H:%M} UTC.",
        }
    return values


def _oldest_due() -> float | None:
    """Return for how long something has been due; None without the database, which has a check of its own."""
    try:
        return max(oldest_due_seconds().values())
    except SQLAlchemyError:
        db.session.rollback()
        return None


def _due_captures() -> int:
    """Count the due captures; 0 without the database, which has a check of its own."""
    try:
        return count_due_captures()
    except SQLAlchemyError:
        db.session.rollback()
        return 0


def _check_embeddings() -> EmbeddingsCheckOut:
    provider = current_settings().EMBEDDING_PROVIDER
    if provider == "none":
        return EmbeddingsCheckOut(status="disabled", detail="EMBEDDING_PROVIDER is none.", pending=None)
    check = _timed(EmbeddingsCheckOut, NO_DATABASE, _pending)
    return check if check.status == "healthy" else EmbeddingsCheckOut(status="degraded", detail=NO_DATABASE)


def _check_embedding_model() -> CheckOut:
    """Check the embedding provider by its last calls; the first check makes it, which may take seconds."""
    fault = embedding_fault() if current_settings().EMBEDDING_PROVIDER != "none" else None
    return CheckOut(status="degraded", detail=fault) if fault else CheckOut(status="healthy")


def _check_mail() -> MailCheckOut:
    """Check by the outbox that mails are sent; no mail server is asked."""
    return _timed(MailCheckOut, NO_DATABASE, _failing_mails)


def _check_language_model() -> CheckOut:
    """Check the server's language model by its last calls; people's own are not checked."""
    if not current_settings().LLM_BASE_URL:
        return CheckOut(status="disabled", detail="LLM_BASE_URL is not set.")
    fault = server_model_fault()
    return CheckOut(status="degraded", detail=fault) if fault else CheckOut(status="healthy")


def _check_storage() -> CheckOut:
    """Check the storage of exports, at most every 30 s."""
    storage = export_storage()
    if storage is None:
        return CheckOut(status="disabled", detail="EXPORT_STORAGE is not set: exports are in the database.")
    fault = storage.fault()
    return CheckOut(status="degraded", detail=fault) if fault else CheckOut(status="healthy")


def _timed(kind: type[Check], fault: str, measure: Callable[[], dict[str, Any]]) -> Check:
    started = time.perf_counter()
    try:
        values = {"status": "healthy", **measure()}
    except redis.RedisError as error:
        reason = redis_fault(error)
        return kind(status="unhealthy", detail=fault if reason == NO_ANSWER else reason)
    except SQLAlchemyError:
        db.session.rollback()
        return kind(status="unhealthy", detail=fault)
    return kind(latency_ms=round((time.perf_counter() - started) * 1000, 2), **values)


def _pending() -> dict[str, int]:
    return {"pending": count_pending_embeddings(), "pending_subjects": count_waiting()}


def _failing_mails() -> dict[str, Any]:
    failing = count_failing_mails()
    status = {"status": "degraded", "detail": "Mails wait for another try after one that failed."} if failing else {}
    return {"failing": failing, **status}


AggregatedName = Literal["database", "replica", "redis", "worker", "embeddings", "llm", "logs", "mail", "storage"]
CheckName = AggregatedName | Literal["embedding_model", "ready"]
CHECKS: dict[str, Callable[[], CheckOut]] = {
    "ready": _check_readiness,
    "database": _check_database,
    "replica": _check_replica,
    "redis": _check_redis,
    "worker": _check_worker,
    "embeddings": _check_embeddings,
    "embedding_model": _check_embedding_model,
    "llm": _check_language_model,
    "logs": check_logs,
    "mail": _check_mail,
    "storage": _check_storage,
}
KINDS: dict[str, type[CheckOut]] = {
    "replica": ReplicaCheckOut,
    "worker": WorkerCheckOut,
    "embeddings": EmbeddingsCheckOut,
    "mail": MailCheckOut,
}
# Without them requests are not answered, or work is not done.
INDISPENSABLE = ("ready", "database", "redis", "worker")


def unanswered(name: str) -> CheckOut:
    """Return the result of a check that has not ended in time."""
    status: CheckStatus = "unhealthy" if name in INDISPENSABLE else "degraded"
    return KINDS.get(name, CheckOut)(status=status, detail="There was no answer in time.")
