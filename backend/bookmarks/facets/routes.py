"""/bookmarks/facets: what a list holds, by tag, site, year, language and state."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.bookmarks.facets import queries
from backend.bookmarks.facets.schemas import FacetQuery, FacetsOut
from backend.http.operations import operation

blueprint = Blueprint("facets", __name__, url_prefix="/bookmarks/facets")


@blueprint.get("")
@operation(scope="bookmarks:read", limit="list", tag="bookmarks", responses={200: FacetsOut}, cache="list")
def count_facets(actor: Actor, query: FacetQuery) -> FacetsOut:
    """Count the tags, sites, years, languages and states of a filtered list."""
    return FacetsOut(facets=queries.list_facets(actor, query))
