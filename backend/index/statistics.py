"""Corpus statistics for ranking: counted by the worker, read by searches, never counted in a request."""

from __future__ import annotations

from sqlalchemy import text

from backend.extensions import db

# How many candidates a search may score, if none has a page; a page's impacts lie out of line and take longer.
BUDGET, PAGE_COST = 5_000, 5

# Up to so many documents the words of a query are counted when somebody asks; fewer, where they have pages.
SMALL = 2_000

# Counts are made anew after so many changes, or after this part of the documents has changed.
CHANGES, CHANGED_PART = 50, 0.05

RARE_WORDS = 2

CHANGED = text("""
    SELECT o.id
      FROM organizations o
      LEFT JOIN search_statistics s ON s.organization_id = o.id
     CROSS JOIN LATERAL (
           SELECT greatest(:changes, CAST(coalesce(s.documents, 0) * CAST(:part AS float8) AS bigint)) AS most) bound
     WHERE bound.most <= (
           SELECT count(*) FROM (
                  SELECT 1 FROM bookmark_documents d
                   WHERE d.organization_id = o.id AND d.written_at > coalesce(s.counted_at, '-infinity')
                   LIMIT bound.most) AS written)
     ORDER BY o.id
""")


def scoring_budget(documents: int, pages: int) -> int:
    """How many candidates a search may score in an organization with so many documents, of which some have pages."""
    return int(BUDGET / scoring_cost(documents, pages))


def changed_organizations() -> list[int]:
    """Organizations of which enough documents have changed since they were counted. One statement."""
    return list(db.session.scalars(CHANGED, {"changes": CHANGES, "part": CHANGED_PART}))


def scoring_cost(documents: int, pages: int) -> float:
    """What scoring a document takes on average, one without a page being 1."""
    return 1 + PAGE_COST * pages / max(documents, 1)
