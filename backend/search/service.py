"""Search: a pipeline of parse, plan, candidates, fusion, page, highlights and history, each step in its own module."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.actor import Actor
from backend.bookmarks.facets.queries import facets_of
from backend.bookmarks.facets.schemas import Facets
from backend.bookmarks.schemas import BookmarkFilter
from backend.observability.metrics.recording import record_search
from backend.search import candidates as retrieval
from backend.search.candidates import find_candidates
from backend.search.command_lines import command_line, find_command_line, is_nothing
from backend.search.fusion import RankedHit, Ranking, rank
from backend.search.paging import PageSlice, page_slice
from backend.search.query_parsing import ParsedQuery, parse_query, parse_words
from backend.search.recent import store_search
from backend.search.results import read_hits
from backend.search.schemas import Expansion, SearchHit, SearchPage, SearchQuery
from backend.search.search_plan import SearchPlan, plan_search
from backend.text.query_language import Query


@dataclass(frozen=True)
class FoundHits:
    """The ranking of a search, the query that found it, and the words that were searched for as something else."""

    query: Query
    ranking: Ranking
    expanded: Sequence[Expansion] = ()


def search(actor: Actor, query: SearchQuery) -> SearchPage:
    """Search bookmarks. Without embeddings the result is by words alone and says `degraded`."""
    started = time.perf_counter()
    parsed = parse_query(actor, query)
    found = _find(actor, query, parsed) if parsed.query.clauses else FoundHits(parsed.query, Ranking([]))
    page = page_slice([id_ for id_, _, _ in found.ranking.hits], query)
    hits = _highlight(actor, found.ranking.hits[page.start : page.end], found.query)
    if page.page == 1:
        store_search(actor, query.q, found=bool(hits))
    record_search(query.mode, time.perf_counter() - started, is_degraded=found.ranking.degraded)
    facets = facets_of(actor, [id_ for id_, _, _ in found.ranking.hits], query.facets) if query.facets else None
    return _response(query, found, page, hits, facets, started)


def _find(actor: Actor, query: SearchQuery, parsed: ParsedQuery) -> FoundHits:
    plan = plan_search(actor, query, parsed)
    candidates = find_candidates(plan)
    if is_nothing(candidates) and (line := command_line(parsed.query)):
        literal = plan_search(actor, query, replace(parsed, query=line.query))
        ranking = rank(literal, find_command_line(literal, line))
        if ranking.hits:
            return FoundHits(line.query, replace(ranking, degraded=candidates.degraded), line.expansions)
    return FoundHits(parsed.query, rank(plan, candidates))


def find_by_words(actor: Actor, words: str, among: BookmarkFilter, limit: int) -> list[int]:
    """Return the ids of the best matches for words without operators, best first. Not stored as a recent search."""
    return [id_ for id_, _ in retrieval.find_by_words(_plan_words(actor, words, among), limit).ranked]


def find_related(actor: Actor, text: str, among: BookmarkFilter, limit: int) -> list[int]:
    """Return the ids of the best matches for a text by its words and, with embeddings, by its meaning, best first."""
    plan = _plan_words(actor, text, among)
    return [id_ for id_, _, _ in rank(plan, find_candidates(plan)).hits[:limit]]


def _plan_words(actor: Actor, text: str, among: BookmarkFilter) -> SearchPlan:
    return plan_search(actor, SearchQuery(q="", **among.model_dump(exclude={"q"})), parse_words(actor, text))


def _highlight(actor: Actor, ranked: Sequence[RankedHit], query: Query) -> list[SearchHit]:
    by_words = {id_ for id_, _, matched in ranked if "text" in matched}
    hits = read_hits(actor.organization_id, [id_ for id_, _, _ in ranked], query, by_words) if ranked else {}
    return [
        SearchHit(bookmark=hits[id_][0], score=score, matched=matched, highlights=hits[id_][1])
        for id_, score, matched in ranked
        if id_ in hits
    ]


def _response(
    query: SearchQuery,
    found: FoundHits,
    page: PageSlice,
    hits: list[SearchHit],
    facets: Facets | None,
    started: float,
) -> SearchPage:
    total = len(found.ranking.hits)
    return SearchPage(
        items=hits,
        total=total,
        page=page.page,
        page_size=query.page_size,
        total_pages=-(-total // query.page_size),
        has_next=page.next_cursor is not None,
        has_prev=page.page > 1,
        next_cursor=page.next_cursor,
        mode=query.mode,
        expanded=list(found.expanded),
        degraded=found.ranking.degraded,
        facets=facets,
        took_ms=round((time.perf_counter() - started) * 1000, 2),
    )
