"""Third step of a search: candidates by words and by meaning."""

from __future__ import annotations

from dataclasses import dataclass

from loguru import logger
from sqlalchemy import select

from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.bookmarks.document_conditions import matching_bookmarks
from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import id_in
from backend.extensions import db
from backend.search.exact_matches import same_links
from backend.search.ranking import RankedMatches
from backend.search.search_plan import SearchPlan
from backend.search.semantic import SemanticMatches, search_by_meaning

# Numbers of candidates. They are fixed, so that pages do not shift; everything has some similarity in meaning, and a
# fusion takes the best of both.
WINDOW, SEMANTIC_WINDOW, FUSED_WINDOW = 1_000, 200, 100


@dataclass(frozen=True)
class Candidates:
    """Candidates by words, by meaning, or both; `degraded` where meaning was requested and is missing or incomplete."""

    by_words: RankedMatches | None
    by_meaning: SemanticMatches | None
    degraded: bool


def find_candidates(plan: SearchPlan) -> Candidates:
    """Retrieve the candidates of the plan's mode; by words alone where there are no embeddings."""
    # A query of filters alone has no meaning.
    if plan.mode == "text" or not plan.query.text:
        return Candidates(find_by_words(plan, WINDOW), None, degraded=False)
    is_semantic = plan.mode == "semantic"
    semantic = _find_by_meaning(plan, SEMANTIC_WINDOW if is_semantic else FUSED_WINDOW)
    if semantic is None or not (semantic.ranked or semantic.complete):
        return Candidates(find_by_words(plan, WINDOW), None, degraded=True)
    words = None if is_semantic else find_by_words(plan, FUSED_WINDOW)
    return Candidates(words, semantic, degraded=not semantic.complete)


def find_by_words(plan: SearchPlan, limit: int) -> RankedMatches:
    """Retrieve the best matches by words."""
    return plan.words.best(plan.where, limit, is_filtered=plan.is_filtered)


def find_links(plan: SearchPlan) -> list[int]:
    """Return the bookmarks whose URLs the query holds: one statement, none for a query without URLs."""
    if not plan.names.links:
        return []
    ids = select(Bookmark.id).where(*plan.conditions, same_links(plan.names.links))
    return list(db.session.scalars(ids.where(Bookmark.deleted_at.is_(None)).order_by(Bookmark.id.desc())))


def _find_by_meaning(plan: SearchPlan, limit: int) -> SemanticMatches | None:
    try:
        return search_by_meaning(plan.actor, plan.query.text, plan.conditions, limit, _few_ids(plan))
    except EmbeddingsUnavailable as fault:
        logger.info("search by words only: {}", fault.reason)
        return None


def _few_ids(plan: SearchPlan) -> list[int] | None:
    """Return all bookmarks that fulfil the conditions, if few hold the required words: two statements, else none."""
    words = plan.words.required.words
    ids = matching_bookmarks(plan.actor.organization_id, words) if words else None
    return None if ids is None else list(db.session.scalars(select(Bookmark.id).where(*plan.where, id_in(ids))))
