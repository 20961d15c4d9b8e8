"""Reads that a replica may answer: those whose route says that they may lag, unless the caller would notice.

A response may be stored in the cache under the generation that was read before its first statement. So nothing may be
read on the replica that is older than this generation: the replica is read only where it certainly holds the last
change that the caller may see. The age of that change is the age of the generation, which every write sets after its
commit. The same keeps a person's own writes: until the replica has passed them, their reads go to the primary.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request
from loguru import logger
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.actor import Actor
from backend.http.operations import Route
from backend.http.response_cache.ages import age_of_last, names_of
from backend.observability.metrics.recording import ReadOutcome, record_replica_read
from backend.replica.service import Replica, bound_replica

READS = ("GET", "HEAD")
# SQLSTATE: the statement took too long. It would on the primary as well.
QUERY_CANCELED = "57014"


def read_on_replica(route: Route, arguments: dict[str, Any]) -> Response | None:
    """Return the response of a view by the rows of the replica; None where the primary has to be asked."""
    replica, actor = bound_replica(), arguments.get("actor")
    if replica is None or actor is None or not route.operation.is_read_on_replica or request.method not in READS:
        return None
    outcome = _outcome(replica, actor)
    try:
        if outcome == "replica":
            with replica.reading():
                return route.respond(route.view(**arguments))
    except (DBAPIError, PoolTimeout) as error:
        if _sqlstate(error) == QUERY_CANCELED:
            raise
        outcome = "failed"
        _report(replica, error)
    finally:
        record_replica_read(outcome)
    return None


def _outcome(replica: Replica, actor: Actor) -> ReadOutcome:
    if not replica.is_usable:
        return "lagging"
    age = age_of_last(names_of(actor))
    if age is None:
        return "unknown"
    return "replica" if replica.holds(age) else "written"


def _report(replica: Replica, error: DBAPIError | PoolTimeout) -> None:
    """Log why the primary is read instead, and leave a replica alone that gives no connection."""
    if not _sqlstate(error) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        replica.monitor.pause()
    logger.warning("the replica has failed a read: {} {}", type(error).__name__, _sqlstate(error))


def _sqlstate(error: DBAPIError | PoolTimeout) -> str:
    return getattr(getattr(error, "orig", None), "pgcode", None) or ""
