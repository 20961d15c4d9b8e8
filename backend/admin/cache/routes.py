"""Routes under /cache, for the operator."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.http.operations import operation
from backend.http.response_cache import statistics
from backend.http.response_cache.schemas import CacheStatistics

blueprint = Blueprint("cache", __name__, url_prefix="/cache")


@blueprint.get("/stats")
@operation(scope="login", limit="read", tag="operations", responses={200: CacheStatistics})
def read_statistics(actor: Actor) -> CacheStatistics:
    """How often answers were found in the cache."""
    actor.require_admin()
    return statistics.read_statistics()


@blueprint.delete("")
@operation(scope="login", limit="write", tag="operations", responses={204: None})
def clear(actor: Actor) -> tuple[str, int]:
    """Empty the cache and its counts."""
    actor.require_admin()
    statistics.clear()
    return "", 204
