"""Recommending: what is asked for, what is known, what may be offered, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from backend.actor import Actor
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import embed_query
from backend.bookmarks.queries import id_in, listed_out, select_listed
from backend.bookmarks.schemas import BookmarkOut
from backend.extensions import current_settings, db
from backend.http.truncation import LIST_BYTES
from backend.recommendations.candidates import Wish, find_candidates
from backend.recommendations.fusion import contributions, diversify, fuse
from backend.recommendations.models import RecommendationSet
from backend.recommendations.query_words import Words, words_for
from backend.recommendations.reasons import LONGEST_REASON, Reasoner
from backend.recommendations.schemas import (
    AskedEngine,
    Engine,
    RecommendationOut,
    RecommendationQuery,
    Recommendations,
)
from backend.recommendations.scoring import Panel, Scores, query_vector
from backend.recommendations.subjects import Subject, read_subject
from backend.recommendations.urgency import urgency
from backend.recommendations.user_profile import Evidence, Vector, read_evidence, vector_of

ENGINES: tuple[Engine, ...] = get_args(Engine)
# Engines that meaning is a part of.
OF_MEANING = ("auto", "semantic", "context", "rediscover")
# Places of one answer in the ids of recommendations: see `RecommendationSet`.
PLACES = 64
# Of what is being worked on, so many have their neighbours looked for; the index is set up for as many as that.
AT_HAND, NEIGHBOURS = 2, 150
# How well everything fits a person of whom nothing else is known.
ANYWAY = 0.3
# With fewer vectors than this part, meaning misses too much.
COMPLETE = 0.9
# What the reasons of a response take together: at most fifty times seven, of characters of six bytes.
REASON_BYTES = 50 * 7 * LONGEST_REASON * 6
SWITCHED_OFF = "Embeddings are switched off on this server."
AWAITED = "Many bookmarks still wait for their vectors."
THIN = "Too few projects and people here have bookmarks in common yet."


@dataclass(frozen=True)
class Meaning:
    """The model whose vectors are compared, None without one; the subject's vector under it; what is wrong."""

    model: str | None
    text_vector: Vector | None
    fault: str | None


@dataclass(frozen=True)
class Choice:
    """What was chosen: places in the panel, best first, their scores, and each engine's share in them."""

    places: Sequence[int]
    scores: Scores
    shares: Sequence[dict[Engine, float]]


def recommend(actor: Actor, query: RecommendationQuery) -> Recommendations:
    """Recommend bookmarks for a subject. Six statements, the one that remembers what was offered among them.

    Raises:
        NotFound: there is no such subject.
    """
    settings = current_settings()
    model = None if settings.EMBEDDING_PROVIDER == "none" else settings.EMBEDDING_MODEL
    subject = read_subject(actor, query, model)
    evidence = read_evidence(actor, subject, model, settings.EMBEDDING_DIMENSION, NEIGHBOURS)
    meaning = _meaning(subject, query.engine, model)
    words = words_for(actor.organization_id, subject, evidence)
    wish = _wish(query.engine, evidence, meaning, words)
    found = find_candidates(actor, subject, wish, model, by_index=evidence.by_index, exclude_read=query.exclude_read)
    panel = Panel(found, evidence, meaning.text_vector, ANYWAY if subject.key == "person" else 0.0)
    choice = _choose(panel, query)
    reason = _fault(query.engine, panel, meaning)
    items = _items(actor, subject, query.engine, choice, Reasoner(subject, panel, words))
    db.session.commit()
    return Recommendations(items=items, engine=query.engine, degraded=reason is not None, reason=reason)


def _meaning(subject: Subject, engine: AskedEngine, model: str | None) -> Meaning:
    if engine not in OF_MEANING or model is None:
        return Meaning(model, None, SWITCHED_OFF if model is None else None)
    if subject.vector is not None:
        return Meaning(model, vector_of(subject.vector), None)
    if not subject.text.strip():
        return Meaning(model, None, None)
    try:
        vector, _ = embed_query(subject.text)
    except EmbeddingsUnavailable as fault:
        return Meaning(model, None, fault.reason)
    return Meaning(model, np.asarray(vector, dtype=np.float32), None)


def _wish(engine: AskedEngine, evidence: Evidence, meaning: Meaning, words: Words) -> Wish:
    """What to look for, so that the engine that was asked has its candidates."""
    is_auto = engine == "auto"
    by_work = engine == "context" or (is_auto and bool(evidence.work))
    fits = is_auto or engine == "rediscover"
    urgent = sorted((one for one in evidence.at_hand if one.vector is not None), key=lambda one: -urgency(one))
    with_others = is_auto or engine == "collaborative"
    return Wish(
        content=words.content if fits or engine == "content" else None,
        context=words.context if by_work else None,
        meaning=query_vector(meaning.text_vector, evidence) if fits or engine == "semantic" else None,
        at_hand=[one.vector for one in urgent[:AT_HAND] if one.vector is not None and by_work],
        likeness=meaning.text_vector if with_others else None,
        taste=[one.id for one in evidence.wanted] if with_others else [],
        with_others=with_others,
        with_forgotten=fits,
    )


def _choose(panel: Panel, query: RecommendationQuery) -> Choice:
    engines = _engines(query.engine, panel.evidence)
    opinions = panel.evidence.opinions
    parts = contributions(panel, engines, opinions)
    scores = fuse(panel, parts, opinions) if query.engine == "auto" else panel.scores(query.engine)
    # What the person has approved of already comes after what is new to them.
    known = np.array([one.said is not None for one in panel.candidates], dtype=bool)
    ids = np.array([one.id for one in panel.candidates], dtype=np.int64)
    order = [int(place) for place in np.lexsort((-ids, -scores, known)) if scores[place] > 0]
    if query.engine == "auto":
        fresh = [place for place in order if not known[place]]
        places = diversify(fresh, scores, panel.vectors, query.limit)
        places += [place for place in order if known[place]][: query.limit - len(places)]
    else:
        places = order[: query.limit]
    return Choice(places, scores, [_shares(parts, place) for place in places])


def _engines(asked: AskedEngine, evidence: Evidence) -> Sequence[Engine]:
    if asked != "auto":
        return (asked,)
    # Where nothing is open, what came up last has its say in the taste already.
    return [name for name in ENGINES if name != "context" or evidence.work]


def _shares(parts: Mapping[Engine, Scores], place: int) -> dict[Engine, float]:
    given = {name: float(scores[place]) for name, scores in parts.items() if scores[place] > 0}
    total = sum(given.values())
    return {name: round(part / total, 4) for name, part in given.items()}


def _fault(engine: AskedEngine, panel: Panel, meaning: Meaning) -> str | None:
    """Why the answer is less than it could be; None if it is not."""
    if engine in OF_MEANING:
        if meaning.fault is not None:
            return meaning.fault
        with_vector = sum(one.vector is not None for one in panel.candidates)
        if with_vector < COMPLETE * len(panel.candidates):
            return AWAITED
    if engine == "collaborative" and not panel.collaborative.any():
        return THIN
    return None


def _items(
    actor: Actor, subject: Subject, engine: AskedEngine, choice: Choice, reasoner: Reasoner
) -> list[RecommendationOut]:
    candidates = reasoner.panel.candidates
    ids = [candidates[place].id for place in choice.places]
    if not ids:
        return []
    bookmarks = _read(ids)
    first_id = _remember(actor, subject, engine, ids, choice.shares) * PLACES
    return [
        RecommendationOut(
            recommendation_id=first_id + number,
            bookmark=bookmarks[candidates[place].id],
            score=round(float(choice.scores[place]), 4),
            engine=max(shares, key=lambda name: shares[name]),
            reasons=reasoner.reasons(place, bookmarks[candidates[place].id], shares),
        )
        for number, (place, shares) in enumerate(zip(choice.places, choice.shares, strict=True))
        if candidates[place].id in bookmarks
    ]


def _read(ids: Sequence[int]) -> dict[int, BookmarkOut]:
    rows = db.session.execute(select_listed().where(id_in(ids))).all()
    return {one.id: one for one in listed_out(rows, LIST_BYTES - REASON_BYTES)}


def _remember(
    actor: Actor, subject: Subject, engine: AskedEngine, ids: Sequence[int], shares: Sequence[dict[Engine, float]]
) -> int:
    # A task's project is not what was asked for.
    project_id = subject.project_id if subject.task_id is None else None
    offered = RecommendationSet(
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        subject=subject.key,
        project_id=project_id,
        task_id=subject.task_id,
        engine=engine,
        bookmark_ids=list(ids),
        shares=[dict(one) for one in shares],
    )
    db.session.add(offered)
    db.session.flush()
    return offered.id
