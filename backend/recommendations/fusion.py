"""Fusion and re-ranking for `auto`: weighted sum of all engines' scores, then diversification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from backend.clock import utc_now
from backend.recommendations.candidates import Candidate
from backend.recommendations.learning import EngineWeights
from backend.recommendations.schemas import Engine
from backend.recommendations.scoring import EngineScores, Scores

# Weights of the engines without feedback; tuned with `benchmarks.recommend`.
WEIGHTS: Mapping[Engine, float] = {
    "content": 0.4,
    "semantic": 0.6,
    "context": 0.12,
    "collaborative": 0.6,
    "rediscover": 0.03,
}
# Bonus of the newest bookmarks, and its half-life.
FRESH, FRESH_DAYS = 0.01, 30.0
# Maximal marginal relevance (Carbonell and Goldstein 1998, doi:10.1145/290941.291025): the cosine above which a
# candidate is penalised for being like a chosen one, the highest penalty, and the candidates considered for each slot.
# A shared topic costs nothing: the reading for a project has one topic.
ALIKE, REPETITION, LOOKED_AT = 0.9, 0.15, 3


def contributions(
    engine_scores: EngineScores, engines: Sequence[Engine], weights: EngineWeights
) -> dict[Engine, Scores]:
    """Return each engine's weighted scores, with the weights learnt from feedback."""
    return {name: WEIGHTS[name] * weights.engine_weight(name) * engine_scores.scores(name) for name in engines}


def fuse(engine_scores: EngineScores, parts: Mapping[Engine, Scores], weights: EngineWeights) -> Scores:
    """Return the scores of `auto`, between 0 and 1: the sum of the contributions times the tag weights, plus freshness.
    Candidates without any contribution stay at 0."""
    total: Scores = sum(parts.values(), start=np.zeros(len(engine_scores.candidates)))
    tags = np.array([weights.tag_weight(candidate.tag_ids) for candidate in engine_scores.candidates])
    fresh = np.array([freshness(candidate) for candidate in engine_scores.candidates])
    return np.where(total > 0, np.clip((total * tags + fresh) / sum(WEIGHTS.values()), 0.0, 1.0), 0.0)


def freshness(candidate: Candidate) -> float:
    """Return the bonus of a new bookmark, at most `FRESH`."""
    days = max(0.0, (utc_now() - candidate.created_at) / timedelta(days=1))
    return float(FRESH * 0.5 ** (days / FRESH_DAYS))


def diversify(order: Sequence[int], scores: Scores, vectors: Scores, limit: int) -> list[int]:
    """Choose `limit` candidates greedily from the first three times as many, penalising those like a chosen one.
    Candidates without a vector are like none."""
    pool = list(order[: LOOKED_AT * limit])
    nearness = np.zeros(len(scores))
    chosen: list[int] = []
    while pool and len(chosen) < limit:
        worth = scores[pool] - REPETITION * np.clip(nearness[pool] - ALIKE, 0.0, None) / (1 - ALIKE)
        best = pool.pop(int(np.argmax(worth)))
        chosen.append(best)
        nearness = np.maximum(nearness, vectors @ vectors[best])
    return chosen
