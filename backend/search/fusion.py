"""Fourth step of a search: fuse the candidates by words and by meaning into one ranking.

A convex combination of scores (Bruch, Gai and Ingber 2023, doi:10.1145/3596512). It measures better here than
reciprocal rank fusion, which uses ranks but not the distances between scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.index.nearest import similarities
from backend.search.candidates import Candidates, find_links
from backend.search.ranking import RankedMatches
from backend.search.schemas import Matched
from backend.search.search_plan import SearchPlan
from backend.search.semantic import SemanticMatches

# Weight of the score by words; tuned on the development sets, where 0.3 and 0.4 measure nearly the same.
WORDS_SHARE = 0.35

RankedHit = tuple[int, float, tuple[Matched, ...]]
# One for all hits: a ranking has a thousand.
BY_WORDS: tuple[Matched, ...] = ("text",)
BY_MEANING: tuple[Matched, ...] = ("semantic",)


@dataclass(frozen=True)
class Ranking:
    """Ranked hits as `(id, score, matched)`, best first."""

    hits: list[RankedHit]
    degraded: bool = False


def rank(plan: SearchPlan, candidates: Candidates) -> Ranking:
    """Fuse the candidates into one ranking. At most two statements, for the scores that one method lacks."""
    words, semantic = candidates.by_words, candidates.by_meaning
    if words is not None and semantic is not None:
        hits = _fused(plan, words, semantic)
    elif semantic is not None:
        hits = _by_meaning(plan, semantic)
    else:
        hits = [(id_, score, BY_WORDS) for id_, score in words.ranked] if words else []
    return Ranking(hits, candidates.degraded)


def _by_meaning(plan: SearchPlan, semantic: SemanticMatches) -> list[RankedHit]:
    """Rank by similarity, after the bookmarks whose URLs are in the query: a URL has little meaning."""
    hits: dict[int, RankedHit] = {id_: (id_, score, BY_MEANING) for id_, score in semantic.ranked}
    links = find_links(plan)
    others = similarities(plan.actor, semantic.vector, semantic.model, [id_ for id_ in links if id_ not in hits])
    first: list[RankedHit] = [
        (id_, hits[id_][1], BY_WORDS + BY_MEANING) if id_ in hits else (id_, others.get(id_, 0.0), BY_WORDS)
        for id_ in links
    ]
    return [*first, *(hit for id_, hit in hits.items() if id_ not in links)]


def _fused(plan: SearchPlan, words: RankedMatches, semantic: SemanticMatches) -> list[RankedHit]:
    """Rank by both scores; the bookmarks that the query names stay first."""
    named = [id_ for id_, _ in words.ranked[: words.named]]
    by_words, by_meaning = dict(words.ranked), dict(semantic.ranked)
    only_by_meaning = [id_ for id_ in by_meaning if id_ not in by_words]
    only_by_words = [id_ for id_ in by_words if id_ not in by_meaning]
    by_words |= plan.words.scores(only_by_meaning)
    nearest = set(by_meaning)
    by_meaning |= similarities(plan.actor, semantic.vector, semantic.model, only_by_words)
    hits: dict[int, RankedHit] = {}
    for id_, score in fuse(by_words, by_meaning):
        matched = BY_WORDS if by_words.get(id_) or id_ in named else ()
        hits[id_] = (id_, score, matched + BY_MEANING if id_ in nearest else matched)
    return [*(hits[id_] for id_ in named), *(hit for id_, hit in hits.items() if id_ not in named)]


def fuse(by_words: Mapping[int, float], by_meaning: Mapping[int, float]) -> list[tuple[int, float]]:
    """Return ids with their fused scores, best first; of equals, the newest.

    Args:
        by_words: BM25 scores. They have no upper bound, so each is divided by the highest.
        by_meaning: Cosine similarities.
    """
    highest = max(by_words.values(), default=0.0) or 1.0
    scores = {
        id_: WORDS_SHARE * by_words.get(id_, 0.0) / highest + (1 - WORDS_SHARE) * by_meaning.get(id_, 0.0)
        for id_ in by_words.keys() | by_meaning.keys()
    }
    return sorted(scores.items(), key=lambda item: (-item[1], -item[0]))
