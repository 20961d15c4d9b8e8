"""Health checks of all dependencies, made at each request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.ai.llm.service import server_model_fault
from backend.ai.service import embedding_fault
from backend.capture.turns import count_due_captures
from backend.clock import uptime_seconds
from backend.extensions import current_settings, db
from backend.health.logs import check_logs
from backend.health.schemas import CheckOut, ChecksOut, EmbeddingsCheckOut, HealthOut, WorkerCheckOut
from backend.index.embeddings import count_pending_embeddings
from backend.jobs.lanes import LANE_NAMES
from backend.jobs.queue import queue_depth
from backend.jobs.worker import STALE_SECONDS, live_workers
from backend.recommendations.queries import count_waiting
from backend.redis.client import redis_client
from backend.redis.faults import NO_ANSWER, redis_fault
from backend.redis.probe import probe_redis
from config import VERSION

Check = TypeVar("Check", bound=CheckOut)
# Prefix of the policies by which Redis evicts keys without an expiry. Without maxmemory it evicts nothing.
EVICTS_ANYTHING = "allkeys"
QUEUE_MAY_GO = "under pressure Redis may drop messages of the queue. Set it to volatile-ttl."


def check_health() -> HealthOut:
    """Run all checks: unhealthy only without a database."""
    database = check_database()
    checks = ChecksOut(
        database=database,
        redis=check_redis(),
        worker=check_worker(),
        embeddings=_check_embeddings(database),
        llm=_check_language_model(),
        logs=check_logs(),
    )
    others = (checks.redis, checks.worker, checks.embeddings, checks.llm, checks.logs)
    well = all(check.status in ("healthy", "disabled") for check in others)
    status = "unhealthy" if database.status == "unhealthy" else "healthy" if well else "degraded"
    return HealthOut(
        status=status,
        version=VERSION,
        uptime_seconds=uptime_seconds(),
        checks=checks,
    )


def check_database() -> CheckOut:
    """Check that PostgreSQL answers."""
    return _timed(CheckOut, "PostgreSQL does not answer.", _ping_database)


def check_redis() -> CheckOut:
    """Check that Redis answers, that the user has the rights it needs, and that the queue cannot be evicted."""
    return _timed(CheckOut, NO_ANSWER, _ping_redis)


def check_worker() -> WorkerCheckOut:
    """Check that a worker sent a heartbeat within 45 s."""
    return _timed(WorkerCheckOut, "Redis does not answer, so workers cannot be seen.", _workers)


def _ping_database() -> dict[str, Any]:
    db.session.execute(text("SELECT 1"))
    return {}


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
    values: dict[str, Any] = {"workers": len(lanes), "queue_depth": queue_depth() + _due_captures()}
    # A worker that names no lanes serves all.
    unserved = [] if not all(lanes) else sorted(LANE_NAMES - set().union(*lanes))
    if not lanes:
        values |= {"status": "unhealthy", "detail": f"No worker gave a sign of life within {STALE_SECONDS} s."}
    elif unserved:
        detail = f"No worker gave a sign of life within {STALE_SECONDS} s that serves: {', '.join(unserved)}."
        values |= {"status": "unhealthy", "detail": detail}
    return values


def _due_captures() -> int:
    """Count the due captures; 0 without the database, which has a check of its own."""
    try:
        return count_due_captures()
    except SQLAlchemyError:
        db.session.rollback()
        return 0


def _check_embeddings(database: CheckOut) -> EmbeddingsCheckOut:
    provider = current_settings().EMBEDDING_PROVIDER
    if provider == "none":
        return EmbeddingsCheckOut(status="disabled", detail="EMBEDDING_PROVIDER is none.", pending=None)
    if database.status == "unhealthy":
        return EmbeddingsCheckOut(status="degraded", detail="PostgreSQL does not answer.")
    check = _timed(EmbeddingsCheckOut, "PostgreSQL does not answer.", _pending)
    fault = embedding_fault()
    return check.model_copy(update={"status": "degraded", "detail": fault}) if fault else check


def _check_language_model() -> CheckOut:
    """Check the server's language model by its last calls; people's own are not checked."""
    if not current_settings().LLM_BASE_URL:
        return CheckOut(status="disabled", detail="LLM_BASE_URL is not set.")
    fault = server_model_fault()
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
