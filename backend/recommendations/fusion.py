"""`auto`: all engines' scores as one, and a choice that does not say the same thing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from backend.clock import utc_now
from backend.recommendations.candidates import Candidate
from backend.recommendations.learning import Opinions
from backend.recommendations.schemas import Engine
from backend.recommendations.scoring import Panel, Scores

# What each engine counts before anybody has said anything; tuned with `benchmarks.recommend`.
WEIGHTS: Mapping[Engine, float] = {
    "content": 0.4,
    "semantic": 0.6,
    "context": 0.12,
    "collaborative": 0.6,
    "rediscover": 0.03,
}
# The newest get so much more; half of it after so many days.
FRESH, FRESH_DAYS = 0.01, 30.0
# From this cosine on with something chosen before it a candidate loses, up to so much (after maximal marginal
# relevance: Carbonell and Goldstein 1998, doi:10.1145/290941.291025), and how many candidates are looked at for each
# place. What is merely about the same thing loses nothing: a project's reading is about one thing.
ALIKE, REPETITION, LOOKED_AT = 0.9, 0.15, 3


def contributions(panel: Panel, engines: Sequence[Engine], opinions: Opinions) -> dict[Engine, Scores]:
    """What each engine adds to the score of each candidate, with what feedback has taught of engines."""
    return {name: WEIGHTS[name] * opinions.engine(name) * panel.scores(name) for name in engines}


def fuse(panel: Panel, parts: Mapping[Engine, Scores], opinions: Opinions) -> Scores:
    """The scores of `auto`: the sum of the parts, times what is known of the candidate's tags, and a little for being
    new; between 0 and 1. What no engine speaks for stays at 0."""
    total: Scores = sum(parts.values(), start=np.zeros(len(panel.candidates)))
    tags = np.array([opinions.tagged(one.tag_ids) for one in panel.candidates])
    fresh = np.array([freshness(one) for one in panel.candidates])
    return np.where(total > 0, np.clip((total * tags + fresh) / sum(WEIGHTS.values()), 0.0, 1.0), 0.0)


def freshness(candidate: Candidate) -> float:
    """What a candidate gets for being new, at most `FRESH`."""
    days = max(0.0, (utc_now() - candidate.created_at) / timedelta(days=1))
    return float(FRESH * 0.5 ** (days / FRESH_DAYS))


def diversify(order: Sequence[int], scores: Scores, vectors: Scores, limit: int) -> list[int]:
    """The first `limit` of an order, chosen one after the other among the first three times as many: the best that is
    not too like what was chosen already. Places without a vector are like nothing."""
    pool = list(order[: LOOKED_AT * limit])
    nearness = np.zeros(len(scores))
    chosen: list[int] = []
    while pool and len(chosen) < limit:
        worth = scores[pool] - REPETITION * np.clip(nearness[pool] - ALIKE, 0.0, None) / (1 - ALIKE)
        best = pool.pop(int(np.argmax(worth)))
        chosen.append(best)
        nearness = np.maximum(nearness, vectors @ vectors[best])
    return chosen
