"""/recommendations."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.http.operations import operation
from backend.recommendations import engines, service
from backend.recommendations.schemas import Engines, RecommendationQuery, Recommendations

blueprint = Blueprint("recommendations", __name__, url_prefix="/recommendations")


@blueprint.get("")
@operation(
    scope="recommendations:read",
    limit="recommendations",
    tag="recommendations",
    responses={200: Recommendations},
    cache="recommendations",
    may_lag=False,  # Stores what it has recommended.
)
def recommend(actor: Actor, query: RecommendationQuery) -> Recommendations:
    """Recommend bookmarks for a project, a task, a bookmark, a text, or the person."""
    return service.recommend(actor, query)


@blueprint.get("/engines")
@operation(scope="recommendations:read", limit="read", tag="recommendations", responses={200: Engines})
def list_engines(actor: Actor) -> Engines:
    """Tell which ways to recommend there are, and which can be used now."""
    return engines.list_engines(actor)
