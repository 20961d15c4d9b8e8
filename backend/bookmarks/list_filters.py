"""Filters of lists as conditions, and the bound on their number."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from backend.actor import Actor
from backend.bookmarks.document_conditions import resolve_query
from backend.bookmarks.query_conditions import in_project, mentions_archived, on_site, query_conditions
from backend.bookmarks.schemas import MAX_FILTERS, ActionFilter, BookmarkFilter
from backend.bookmarks.states import BookmarkStates, column_conditions
from backend.errors import Invalid
from backend.text.query_language import Filter, Query, parse
from backend.text.urls import Site, parse_site


def filters_columns_only(filter_: BookmarkFilter | ActionFilter) -> bool:
    """Return whether nothing but the bookmarks' own states and moments is asked for."""
    return not filter_.q and not filter_.tag and filter_.project_id is None and filter_.domain is None


def filter_conditions(actor: Actor, filter_: BookmarkFilter | ActionFilter) -> Sequence[ColumnElement[bool]]:
    """Build the conditions of a list's filters, that of the organization included. One statement for words, or none.

    Raises:
        Invalid: there are too many filters.
    """
    shows_archived, others = False, list[ColumnElement[bool]]()
    if filter_.q or filter_.tag:
        query, languages = resolve_query(actor.organization_id, parse(filter_.q or ""))
        check_filters(filter_, query)
        shows_archived = mentions_archived(query)
        others = query_conditions(actor.organization_id, query, languages, filter_.tag)
    if filter_.domain is not None:
        others.insert(0, on_site(parse_site(filter_.domain) or Site(filter_.domain)))
    if filter_.project_id is not None:
        others.insert(0, in_project(actor.organization_id, filter_.project_id))
    states = BookmarkStates.of(filter_, shows_archived=shows_archived)
    own = column_conditions(actor.organization_id, states, filter_.created_after, filter_.created_before)
    return [*own, *others]


def check_filters(filter_: BookmarkFilter | ActionFilter, query: Query) -> None:
    """Check the number of distinct filters, those of the query and of the list together.

    Raises:
        Invalid: there are too many.
    """
    distinct = {(unit.key, unit.negated) for unit in query.units if isinstance(unit, Filter)}
    distinct |= {(Filter("tag", name).key, False) for name in filter_.tag}
    if len(distinct) > MAX_FILTERS:
        location = "body.filter" if isinstance(filter_, ActionFilter) else "query"
        message = f"A query has at most {MAX_FILTERS} filters; these are {len(distinct)}."
        raise Invalid.field(f"{location}.q" if filter_.q else f"{location}.tag", message, "too_many_filters")
