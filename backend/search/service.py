"""Searching: candidates by word and by meaning, fused, then one page of them read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loguru import logger

from backend.actor import Actor
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.bookmarks.queries import conditions
from backend.search.meaning import ByMeaning, search_by_meaning
from backend.search.queries import Ranked, count_by_words, rank_by_words, read_hits
from backend.search.schemas import Matched, SearchHit, SearchPage, SearchQuery

# Reciprocal rank fusion, Cormack, Clarke and Büttcher 2009, doi:10.1145/1571941.1572114: k as they found it best.
RRF_K = 60
# How many of each list take part in the fusion: a fixed window, so that pages do not shift.
WINDOW = 100


@dataclass(frozen=True)
class Candidates:
    """What was found, best first: `(id, score, matched)`; `total` may be more than are listed."""

    ranked: list[tuple[int, float, list[Matched]]]
    total: int
    degraded: bool = False


def search(actor: Actor, query: SearchQuery) -> SearchPage:
    """Find bookmarks. Without embeddings the answer is by words alone and says `degraded`."""
    started = time.perf_counter()
    found = _find(actor, query) if query.q.strip() else Candidates([], 0)
    start = (query.page - 1) * query.page_size
    window = found.ranked[start : start + query.page_size]
    hits = read_hits([id_ for id_, _, _ in window], query.q) if window else {}
    items = [
        SearchHit(bookmark=hits[id_][0], score=score, matched=matched, highlights=hits[id_][1])
        for id_, score, matched in window
        if id_ in hits
    ]
    return SearchPage(
        items=items,
        total=found.total,
        page=query.page,
        page_size=query.page_size,
        total_pages=-(-found.total // query.page_size),
        has_next=start + query.page_size < found.total,
        has_prev=query.page > 1,
        next_cursor=None,
        mode=query.mode,
        degraded=found.degraded,
        took_ms=round((time.perf_counter() - started) * 1000, 2),
    )


def _find(actor: Actor, query: SearchQuery) -> Candidates:
    among = query.model_copy(update={"q": None})
    if query.mode == "text":
        return _by_words(actor, query, among)
    meant = _by_meaning(actor, query, among)
    if meant is None:
        found = _by_words(actor, query, among)
        return Candidates(found.ranked, found.total, degraded=True)
    if query.mode == "semantic":
        found = Candidates([(id_, score, ["semantic"]) for id_, score in meant.ranked], len(meant.ranked))
    else:
        found = _fuse(rank_by_words(actor, query.q, among, WINDOW), meant.ranked)
    return replace(found, degraded=not meant.complete)


def _by_words(actor: Actor, query: SearchQuery, among: SearchQuery) -> Candidates:
    depth = min(query.page * query.page_size, 10_000)
    ranked = rank_by_words(actor, query.q, among, depth)
    total = len(ranked) if len(ranked) < depth else count_by_words(actor, query.q, among)
    return Candidates([(id_, score, ["text"]) for id_, score in ranked], total)


def _by_meaning(actor: Actor, query: SearchQuery, among: SearchQuery) -> ByMeaning | None:
    try:
        return search_by_meaning(actor, query.q, conditions(actor, among), WINDOW)
    except EmbeddingsUnavailable as fault:
        logger.info("search by words only: {}", fault.reason)
        return None


def _fuse(by_words: Ranked, by_meaning: Ranked) -> Candidates:
    scores: dict[int, float] = {}
    matched: dict[int, list[Matched]] = {}
    lists: Sequence[tuple[Matched, Ranked]] = (("text", by_words), ("semantic", by_meaning))
    for name, ranked in lists:
        for rank, (id_, _) in enumerate(ranked, start=1):
            scores[id_] = scores.get(id_, 0.0) + 1 / (RRF_K + rank)
            matched.setdefault(id_, []).append(name)
    best = sorted(scores, key=lambda id_: (-scores[id_], -id_))
    return Candidates([(id_, scores[id_], matched[id_]) for id_ in best], len(best))
