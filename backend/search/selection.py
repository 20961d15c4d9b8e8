"""Selection of the bookmarks that fulfil conditions: the best of ranked candidates, the newest, or all where they are
few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, literal_column, or_, select, true
from sqlalchemy.sql.base import ColumnCollection

from backend.bookmarks.document_conditions import bookmark_matches
from backend.bookmarks.models import Bookmark
from backend.bookmarks.query_conditions import Requirements
from backend.extensions import db
from backend.index.nearest import Ranked
from backend.search.exact_matches import NOT_NAMED

# As the index of these bookmarks is written.
UNSEARCHED = or_(Bookmark.deleted_at.is_not(None), Bookmark.is_archived)


def best_passing(
    ranked: Select[*tuple[Any, ...]], where: Sequence[ColumnElement[bool]] | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """Select the best candidates that fulfil the conditions: their ids and scores, and the number of named ones where
    candidates have a tier.

    Args:
        ranked: The candidates, all of one organization.
        where: Conditions on Bookmark; None where only the trash and the archive are left out.
        limit: Maximum number of results.
    """
    ordered = ranked.order_by(*_best_first(ranked.selected_columns)).offset(literal_column("0")).subquery()
    passing = _outside_trash_and_archive(ordered) if where is None else _passing(ordered, where)
    best = passing.order_by(*_best_first(ordered.c)).limit(limit).subquery()
    # Arrays: a thousand rows take longer to fetch than to find.
    arrays = select(func.array_agg(best.c.id), func.array_agg(best.c.score))
    return arrays.add_columns(func.count().filter(best.c.tier < NOT_NAMED)) if "tier" in best.c else arrays


def _passing(candidates: Subquery, where: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """Check the conditions candidate by candidate, the best first, until there are enough."""
    passing = select(literal_column("1")).where(Bookmark.id == candidates.c.id, *where).limit(1).lateral()
    return select(candidates).select_from(candidates.join(passing, true()))


def _outside_trash_and_archive(candidates: Subquery) -> Select[*tuple[Any, ...]]:
    """Check candidate by candidate in an index of what is left out: no row of a candidate is read."""
    left_out: Select[Any] = select(literal_column("1")).where(Bookmark.id == candidates.c.id, UNSEARCHED)
    # OFFSET prevents a join, which would read the whole index where much is archived.
    return select(candidates).where(~left_out.offset(literal_column("0")).exists())


def _best_first(columns: ColumnCollection[str, Any]) -> list[ColumnElement[Any]]:
    """Return the order of candidates, by the keys that they have: a key of one value would hide from PostgreSQL that
    they are sorted already, and all would be checked."""
    keys = [columns.tier] if "tier" in columns else []
    if "complete" in columns:
        keys.append(columns.complete.desc())
    return [*keys, columns.score.desc(), columns.id.desc()]


def newest_passing(
    organization_id: int, required: Requirements, where: Sequence[ColumnElement[bool]], limit: int
) -> Ranked:
    """Return the newest bookmarks that fulfil the conditions, with score 0. One statement."""
    if required.words:
        where = [*where, bookmark_matches(organization_id, required.words)]
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc()).limit(limit)
    return [(id_, 0.0) for id_ in db.session.scalars(newest)]


def few_passing(where: Sequence[ColumnElement[bool]], most: int) -> list[int] | None:
    """Return the bookmarks that pass the filters; None for more than `most`. One statement."""
    # In the order of an index, so that an unselective filter reads no more than the limit.
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc())
    ids = db.session.scalars(newest.limit(most + 1)).all()
    return list(ids) if len(ids) <= most else None
