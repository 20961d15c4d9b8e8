"""Corpus statistics for ranking: counted by the worker, read by searches."""

from __future__ import annotations

from sqlalchemy import text

from backend.extensions import db

# Candidates that a search may score, without pages; a page's impacts are TOASTed and cost more.
BUDGET, PAGE_COST = 5_000, 5

# Up to this many documents (fewer with pages) document frequencies are counted at query time.
SMALL = 2_000

# Statistics are refreshed after this many changes, or this share of changed documents.
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
    """Return the number of candidates that a search may score in an organization with so many documents and pages."""
    return int(BUDGET / scoring_cost(documents, pages))


def changed_organizations() -> list[int]:
    """Return the organizations of which enough documents have changed since the last count. One statement."""
    return list(db.session.scalars(CHANGED, {"changes": CHANGES, "part": CHANGED_PART}))


def scoring_cost(documents: int, pages: int) -> float:
    """Return the average cost of scoring a document, relative to one without a page."""
    return 1 + PAGE_COST * pages / max(documents, 1)
