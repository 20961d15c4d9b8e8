"""/search: find bookmarks."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.http.operations import operation
from backend.search import service
from backend.search.schemas import SearchPage, SearchQuery, Suggestions, SuggestQuery
from backend.search.suggest.service import suggest

blueprint = Blueprint("search", __name__, url_prefix="/search")


@blueprint.get("")
@operation(scope="search:read", limit="search", tag="search", responses={200: SearchPage}, is_timed=True, may_lag=True)
def search(actor: Actor, query: SearchQuery) -> SearchPage:
    """Find bookmarks by word, by meaning, or by both."""
    return service.search(actor, query)


@blueprint.get("/suggest")
@operation(scope="search:read", limit="read", tag="search", responses={200: Suggestions}, may_lag=True)
def suggest_searches(actor: Actor, query: SuggestQuery) -> Suggestions:
    """Suggest tags, titles, domains and recent searches for what is being typed."""
    return suggest(actor, query.q)
