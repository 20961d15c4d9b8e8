"""Recommendations: subject, user profile, candidates, scores, selection and reasons, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import get_args

import numpy as np

from backend.actor import Actor
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embed_query
from backend.bookmarks.queries import id_in, listed_out, select_listed
from backend.bookmarks.schemas import BookmarkOut
from backend.extensions import current_settings, db
from backend.http.truncation import LIST_BYTES
from backend.recommendations.candidates import CandidateQuery, find_candidates
from backend.recommendations.fusion import contributions, diversify, fuse
from backend.recommendations.models import RecommendationSet
from backend.recommendations.query_words import WordQueries, build_word_queries
from backend.recommendations.reasons import LONGEST_REASON, Explainer
from backend.recommendations.schemas import (
    AskedEngine,
    Engine,
    RecommendationOut,
    RecommendationQuery,
    Recommendations,
)
from backend.recommendations.scoring import EngineScores, Scores, query_vector
from backend.recommendations.subjects import Subject, read_subject
from backend.recommendations.urgency import urgency
from backend.recommendations.user_profile import UserProfile, Vector, decode_vector, read_user_profile

ENGINES: tuple[Engine, ...] = get_args(Engine)
# Engines that use embeddings.
OF_MEANING = ("auto", "semantic", "context", "rediscover")
# Recommendation ids reserved for each set: see `RecommendationSet`.
SET_SIZE = 64
# Items of active work whose nearest neighbours are candidates, and the limit that the vector index is set up for.
MOST_WORK, NEIGHBOURS = 2, 150
# Minimum fit of everything for a person.
PERSON_FIT = 0.3
# With a smaller share of vectors, a semantic answer is degraded.
COMPLETE_SHARE = 0.9
# Upper bound of the reasons in a response: fifty times seven, with characters of six bytes.
REASON_BYTES = 50 * 7 * LONGEST_REASON * 6
SWITCHED_OFF = "Embeddings are switched off on this server."
VECTORS_MISSING = "Many bookmarks still wait for their vectors."
TOO_SPARSE = "Too few projects and people here have bookmarks in common yet."


@dataclass(frozen=True)
class SubjectVector:
    """The embedding model, None without one; the subject's vector under it; why there is none."""

    model: str | None
    text_vector: Vector | None
    fault: str | None


@dataclass(frozen=True)
class Selection:
    """Selected candidates: their indices, best first, all scores, and the engines' shares."""

    indices: Sequence[int]
    scores: Scores
    shares: Sequence[dict[Engine, float]]


def recommend(actor: Actor, query: RecommendationQuery, language: str = "en", zone: tzinfo = UTC) -> Recommendations:
    """Recommend bookmarks for a subject. Six statements, including the insert of the recommendation set.

    Reasons are in a language of `phrases.py`, with days as they are in a time zone.

    Raises:
        NotFound: there is no such subject.
    """
    settings = current_settings()
    model = None if settings.EMBEDDING_PROVIDER == "none" else settings.EMBEDDING_MODEL
    subject = read_subject(actor, query, model)
    profile = read_user_profile(actor, subject, model, settings.EMBEDDING_DIMENSION, NEIGHBOURS)
    subject_vector = _subject_vector(subject, query.engine, model)
    words = build_word_queries(actor.organization_id, subject, profile)
    candidate_query = _candidate_query(query.engine, profile, subject_vector, words)
    candidates = find_candidates(
        actor, subject, candidate_query, model, by_index=profile.by_index, exclude_read=query.exclude_read
    )
    engine_scores = EngineScores(
        candidates, profile, subject_vector.text_vector, PERSON_FIT if subject.key == "person" else 0.0
    )
    selection = _choose(engine_scores, query)
    reason = _fault(query.engine, engine_scores, subject_vector)
    items = _items(actor, subject, query.engine, selection, Explainer(subject, engine_scores, words, language, zone))
    db.session.commit()
    return Recommendations(items=items, engine=query.engine, degraded=reason is not None, reason=reason)


def _subject_vector(subject: Subject, engine: AskedEngine, model: str | None) -> SubjectVector:
    if engine not in OF_MEANING or model is None:
        return SubjectVector(model, None, SWITCHED_OFF if model is None else None)
    if subject.vector is not None:
        return SubjectVector(model, decode_vector(subject.vector), None)
    if not subject.text.strip():
        return SubjectVector(model, None, None)
    try:
        vector, _ = embed_query(subject.text)
    except EmbeddingsUnavailable as fault:
        return SubjectVector(model, None, fault.reason)
    return SubjectVector(model, np.asarray(vector, dtype=np.float32), None)


def _candidate_query(
    engine: AskedEngine, profile: UserProfile, subject_vector: SubjectVector, words: WordQueries
) -> CandidateQuery:
    """Build the candidate query for the engine."""
    is_auto = engine == "auto"
    by_work = engine == "context" or (is_auto and bool(profile.work))
    fits = is_auto or engine == "rediscover"
    urgent = sorted((work for work in profile.active_work if work.vector is not None), key=lambda work: -urgency(work))
    by_co_occurrence = is_auto or engine == "collaborative"
    return CandidateQuery(
        content=words.content if fits or engine == "content" else None,
        context=words.context if by_work else None,
        meaning=query_vector(subject_vector.text_vector, profile) if fits or engine == "semantic" else None,
        work_vectors=[work.vector for work in urgent[:MOST_WORK] if work.vector is not None and by_work],
        text_vector=subject_vector.text_vector if by_co_occurrence else None,
        item_ids=[work.id for work in profile.positive] if by_co_occurrence else [],
        by_co_occurrence=by_co_occurrence,
        for_rediscovery=fits,
    )


def _choose(engine_scores: EngineScores, query: RecommendationQuery) -> Selection:
    engines = _engines(query.engine, engine_scores.profile)
    weights = engine_scores.profile.weights
    parts = contributions(engine_scores, engines, weights)
    scores = fuse(engine_scores, parts, weights) if query.engine == "auto" else engine_scores.scores(query.engine)
    # Bookmarks that the person has approved of already come last.
    approved = np.array([candidate.feedback is not None for candidate in engine_scores.candidates], dtype=bool)
    ids = np.array([candidate.id for candidate in engine_scores.candidates], dtype=np.int64)
    order = [int(index) for index in np.lexsort((-ids, -scores, approved)) if scores[index] > 0]
    if query.engine == "auto":
        fresh = [index for index in order if not approved[index]]
        indices = diversify(fresh, scores, engine_scores.vectors, query.limit)
        indices += [index for index in order if approved[index]][: query.limit - len(indices)]
    else:
        indices = order[: query.limit]
    return Selection(indices, scores, [_shares(parts, index) for index in indices])


def _engines(engine: AskedEngine, profile: UserProfile) -> Sequence[Engine]:
    if engine != "auto":
        return (engine,)
    # Without open work, the latest items are part of the profile already.
    return [name for name in ENGINES if name != "context" or profile.work]


def _shares(parts: Mapping[Engine, Scores], index: int) -> dict[Engine, float]:
    contributions = {name: float(scores[index]) for name, scores in parts.items() if scores[index] > 0}
    total = sum(contributions.values())
    return {name: round(part / total, 4) for name, part in contributions.items()}


def _fault(engine: AskedEngine, engine_scores: EngineScores, subject_vector: SubjectVector) -> str | None:
    """Return why the answer is degraded, or None."""
    if engine in OF_MEANING:
        if subject_vector.fault is not None:
            return subject_vector.fault
        with_vector = sum(candidate.vector is not None for candidate in engine_scores.candidates)
        if with_vector < COMPLETE_SHARE * len(engine_scores.candidates):
            return VECTORS_MISSING
    if engine == "collaborative" and not engine_scores.collaborative.any():
        return TOO_SPARSE
    return None


def _items(
    actor: Actor, subject: Subject, engine: AskedEngine, selection: Selection, explainer: Explainer
) -> list[RecommendationOut]:
    candidates = explainer.engine_scores.candidates
    ids = [candidates[index].id for index in selection.indices]
    if not ids:
        return []
    bookmarks = _read(ids)
    first_id = _store_set(actor, subject, engine, ids, selection.shares) * SET_SIZE
    return [
        RecommendationOut(
            recommendation_id=first_id + number,
            bookmark=bookmarks[candidates[index].id],
            score=round(float(selection.scores[index]), 4),
            engine=max(shares, key=lambda name: shares[name]),
            reasons=explainer.reasons(index, bookmarks[candidates[index].id], shares),
        )
        for number, (index, shares) in enumerate(zip(selection.indices, selection.shares, strict=True))
        if candidates[index].id in bookmarks
    ]


def _read(ids: Sequence[int]) -> dict[int, BookmarkOut]:
    rows = db.session.execute(select_listed().where(id_in(ids))).all()
    return {bookmark.id: bookmark for bookmark in listed_out(rows, LIST_BYTES - REASON_BYTES)}


def _store_set(
    actor: Actor, subject: Subject, engine: AskedEngine, ids: Sequence[int], shares: Sequence[dict[Engine, float]]
) -> int:
    # The subject is the task, not its project.
    project_id = subject.project_id if subject.task_id is None else None
    offered = RecommendationSet(
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        subject=subject.key,
        project_id=project_id,
        task_id=subject.task_id,
        engine=engine,
        bookmark_ids=list(ids),
        shares=[dict(engine_shares) for engine_shares in shares],
    )
    db.session.add(offered)
    db.session.flush()
    return offered.id
