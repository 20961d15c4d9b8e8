"""Selections written as SQL, for statements of many parts: expressions take SQLAlchemy longer to build and compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnClause, TextualSelect, bindparam, text

# Conditions on `bookmark_documents AS d`. IS TRUE, which no index answers; see `document_conditions.matches`.
OWN_DOCUMENT = "(d.organization_id = :organization_id) IS TRUE"
# BM25 by the weights of the words of a query, of the fields and of the page.
SCORE = """
           -(d.impacts <#> CAST(:weights AS sparsevec))
           + coalesce(-(d.page_impacts <#> CAST(:weights AS sparsevec)), 0) AS score"""


def text_select(statement: str, values: Mapping[str, object], *columns: ColumnClause[Any]) -> TextualSelect:
    """Build a selection of these columns. Its parameters are its own: another part may have equal names."""
    bound: list[BindParameter[Any]] = [bindparam(name, value, unique=True) for name, value in values.items()]
    return text(statement).bindparams(*bound).columns(*columns)


def holds(parameter: str) -> str:
    """Write the condition that a document matches the tsquery in a parameter."""
    return f"d.document @@ CAST(:{parameter} AS tsquery)"
