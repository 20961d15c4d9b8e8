"""Counts of facets, all of them in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import CTE, Case, ColumnElement, Select, Text, case, cast, func, literal, null, select, union_all
from sqlalchemy.dialects.postgresql import array

from backend.actor import Actor
from backend.bookmarks.facets.schemas import FACETS, FacetName, FacetQuery, Facets, FacetValue
from backend.bookmarks.list_filters import filter_conditions
from backend.bookmarks.models import Bookmark, BookmarkTag, Tag
from backend.bookmarks.queries import id_in
from backend.bookmarks.query_conditions import STATES
from backend.extensions import db

MOST_VALUES = 30


def list_facets(actor: Actor, query: FacetQuery) -> Facets:
    """Count the facets of a filtered list. One statement, one more for words."""
    return _count(filter_conditions(actor, query), query.facets)


def facets_of(actor: Actor, bookmark_ids: Sequence[int], names: Sequence[FacetName]) -> Facets:
    """Count the facets of these bookmarks. One statement."""
    return _count([Bookmark.organization_id == actor.organization_id, id_in(bookmark_ids)], names)


def _count(conditions: Sequence[ColumnElement[bool]], names: Sequence[FacetName]) -> Facets:
    asked = [name for name in FACETS if name in names]
    if not asked:
        return Facets()
    found = _found(conditions)
    statements = [select(_most_frequent(name, found).subquery()) for name in asked]
    values: dict[str, list[FacetValue]] = {name: [] for name in asked}
    for name, value, count in db.session.execute(union_all(*statements)):
        values[name].append(FacetValue(value=value, count=count))
    return Facets(**values)


def _found(conditions: Sequence[ColumnElement[bool]]) -> CTE:
    year = func.to_char(func.timezone("UTC", Bookmark.created_at), "FMYYYY").label("year")
    states = func.array_remove(array([_named(name, holds) for name, holds in STATES.items()]), null()).label("states")
    columns = (Bookmark.id, Bookmark.domain, Bookmark.language, year, states)
    return select(*columns).where(*conditions).cte("found")


def _named(name: str, holds: ColumnElement[bool]) -> Case[Any]:
    return case((holds, name), else_=cast(null(), Text))


def _most_frequent(name: FacetName, found: CTE) -> Select[str, str, int]:
    value, rows = VALUES[name](found)
    count = func.count().label("count")
    statement = select(literal(name, Text).label("facet"), value.label("value"), count).select_from(rows)
    order = (value.desc(),) if name == "year" else (count.desc(), value)
    return statement.where(value.is_not(None), value != "").group_by(value).order_by(*order).limit(MOST_VALUES)


def _tags(found: CTE) -> tuple[ColumnElement[str], Any]:
    carried = BookmarkTag.__table__.join(found, found.c.id == BookmarkTag.bookmark_id)
    return Tag.__table__.c.name, carried.join(Tag.__table__, Tag.id == BookmarkTag.tag_id)


def _states(found: CTE) -> tuple[ColumnElement[str], Any]:
    each = select(func.unnest(found.c.states).label("state")).subquery()
    return each.c.state, each


VALUES: dict[FacetName, Callable[[CTE], tuple[ColumnElement[str], Any]]] = {
    "tags": _tags,
    "domain": lambda found: (found.c.domain, found),
    "year": lambda found: (found.c.year, found),
    "language": lambda found: (found.c.language, found),
    "state": _states,
}
