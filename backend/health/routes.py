"""/api/health: for probes and people. Public, never cached, without secrets."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint

from backend.health.schemas import CheckOut, HealthOut, LiveOut, WorkerCheckOut
from backend.health.service import health_monitor
from backend.http.operations import operation

blueprint = Blueprint("health", __name__, url_prefix="/api/health")
Check = TypeVar("Check", bound=CheckOut)
UNCACHED = {"Cache-Control": "no-store"}


@blueprint.get("")
@operation(scope=None, limit="exempt", tag="health", responses={200: HealthOut, 503: HealthOut})
def read_health() -> tuple[HealthOut, int, dict[str, str]]:
    """Report the state of the service and of all that it depends on."""
    health = health_monitor().check_all()
    return health, 503 if health.status == "unhealthy" else 200, UNCACHED


@blueprint.get("/live")
@operation(scope=None, limit="exempt", tag="health", responses={200: LiveOut})
def read_liveness() -> tuple[LiveOut, int, dict[str, str]]:
    """Report that this process answers."""
    return LiveOut(), 200, UNCACHED


@blueprint.get("/ready")
@operation(scope=None, limit="exempt", tag="health", responses={200: CheckOut, 503: CheckOut})
def read_readiness() -> tuple[CheckOut, int, dict[str, str]]:
    """Report whether requests can be served: the database answers, and has all tables."""
    return _response(health_monitor().check("ready"))


@blueprint.get("/database")
@operation(scope=None, limit="exempt", tag="health", responses={200: CheckOut, 503: CheckOut})
def read_database() -> tuple[CheckOut, int, dict[str, str]]:
    """Report whether PostgreSQL answers."""
    return _response(health_monitor().check("database"))


@blueprint.get("/redis")
@operation(scope=None, limit="exempt", tag="health", responses={200: CheckOut, 503: CheckOut})
def read_redis() -> tuple[CheckOut, int, dict[str, str]]:
    """Report whether Redis answers."""
    return _response(health_monitor().check("redis"))


@blueprint.get("/worker")
@operation(scope=None, limit="exempt", tag="health", responses={200: WorkerCheckOut, 503: WorkerCheckOut})
def read_worker() -> tuple[WorkerCheckOut, int, dict[str, str]]:
    """Report whether a worker is alive."""
    return _response(health_monitor().check("worker"))


def _response(check: Check) -> tuple[Check, int, dict[str, str]]:
    return check, 503 if check.status == "unhealthy" else 200, UNCACHED
