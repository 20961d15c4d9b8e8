"""Searching: candidates by word and by meaning, fused, then one page of them read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger
from sqlalchemy import ColumnElement, select

from backend.actor import Actor
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.bookmarks.document_conditions import Languages, bookmark_matches, matching_bookmarks, resolve_query
from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import check_filters, filter_conditions, id_in
from backend.bookmarks.query_conditions import mentions_archived, requirements
from backend.bookmarks.schemas import BookmarkFilter
from backend.extensions import db
from backend.index.nearest import similarities
from backend.search.exact_matches import NO_NAMES, Names, as_address, names_in, same_links
from backend.search.fusion import fuse
from backend.search.paging import window
from backend.search.query_plan import wanted_words
from backend.search.ranking import Best, WordSearch
from backend.search.recent import remember_search
from backend.search.results import read_hits
from backend.search.schemas import Matched, SearchHit, SearchPage, SearchQuery
from backend.search.semantic import ByMeaning, search_by_meaning
from backend.text.query_language import Phrase, Query, QueryClause, Term, parse

# How many results there are at most: fixed, so that pages do not shift. By meaning everything is somehow near; a fusion
# takes the first of both.
WINDOW, MEANING_WINDOW, FUSED_WINDOW = 1_000, 200, 100
# A query of more plain words than this is prose.
PROSE_WORDS = 10
FILTERS = BookmarkFilter.model_fields.keys() - {"q"}

Hit = tuple[int, float, list[Matched]]


@dataclass(frozen=True)
class Found:
    """What was found, best first: `(id, score, matched)`."""

    ranked: list[Hit]
    degraded: bool = False


@dataclass(frozen=True)
class _Request:
    """A query as the two ways to rank need it; `where` are all conditions on Bookmark, those on words aside.

    `is_filtered` is whether they let through less than an organization's usual bookmarks; `names` is what the query may
    name.
    """

    actor: Actor
    query: Query
    words: WordSearch
    where: Sequence[ColumnElement[bool]]
    is_filtered: bool
    names: Names = NO_NAMES

    def by_words(self, limit: int) -> Best:
        return self.words.best(self.where, limit, is_filtered=self.is_filtered)

    def by_meaning(self, limit: int) -> ByMeaning | None:
        """None without embeddings."""
        try:
            return search_by_meaning(self.actor, self.query.text, self._all_conditions(), limit, self._few())
        except EmbeddingsUnavailable as fault:
            logger.info("search by words only: {}", fault.reason)
            return None

    def same_links(self) -> list[int]:
        """The bookmarks whose addresses are in the query: one statement, if there may be any."""
        if not self.names.links:
            return []
        found = select(Bookmark.id).where(*self._all_conditions(), same_links(self.names.links))
        return list(db.session.scalars(found.where(Bookmark.deleted_at.is_(None)).order_by(Bookmark.id.desc())))

    def _few(self) -> list[int] | None:
        """The bookmarks that fulfil everything, if words are required that few hold: two statements, else none."""
        words = self.words.required.words
        ids = matching_bookmarks(self.actor.organization_id, words) if words else None
        return None if ids is None else list(db.session.scalars(select(Bookmark.id).where(*self.where, id_in(ids))))

    def _all_conditions(self) -> list[ColumnElement[bool]]:
        words = self.words.required.words
        return [*self.where, bookmark_matches(self.actor.organization_id, words)] if words else [*self.where]


def search(actor: Actor, query: SearchQuery) -> SearchPage:
    """Find bookmarks. Without embeddings the answer is by words alone and says `degraded`."""
    started = time.perf_counter()
    understood, languages = resolve_query(actor.organization_id, parse(query.q))
    check_filters(query, understood)
    parsed = as_prose(as_address(query.q, understood))
    request = _request(actor, query, parsed, languages, names_in(query.q, parsed))
    found = _find(request, query) if parsed.clauses else Found([])
    shown = window([id_ for id_, _, _ in found.ranked], query)
    ranked = found.ranked[shown.start : shown.end]
    by_words = {id_ for id_, _, matched in ranked if "text" in matched}
    hits = read_hits([id_ for id_, _, _ in ranked], parsed, by_words) if ranked else {}
    items = [
        SearchHit(bookmark=hits[id_][0], score=score, matched=matched, highlights=hits[id_][1])
        for id_, score, matched in ranked
        if id_ in hits
    ]
    if shown.page == 1 and items:
        remember_search(actor, query.q)
    total = len(found.ranked)
    return SearchPage(
        items=items,
        total=total,
        page=shown.page,
        page_size=query.page_size,
        total_pages=-(-total // query.page_size),
        has_next=shown.next_cursor is not None,
        has_prev=shown.page > 1,
        next_cursor=shown.next_cursor,
        mode=query.mode,
        degraded=found.degraded,
        took_ms=round((time.perf_counter() - started) * 1000, 2),
    )


def find_by_words(actor: Actor, words: str, among: BookmarkFilter, limit: int) -> list[int]:
    """The ids of the best matches for words in which nothing is an operator, best first. Not remembered as a search."""
    query = SearchQuery(q="", **among.model_dump(exclude={"q"}))
    return [id_ for id_, _ in _plain_request(actor, query, words).by_words(limit).ranked]


def find_related(actor: Actor, text: str, among: BookmarkFilter, limit: int) -> list[int]:
    """The same for a text, by its words and, as far as there are embeddings, by what it means."""
    query = SearchQuery(q="", **among.model_dump(exclude={"q"}))
    return [id_ for id_, _, _ in _find(_plain_request(actor, query, text), query).ranked[:limit]]


def as_prose(query: Query) -> Query:
    """The query; if it has more plain words than anybody types beside operators, it is prose that was pasted.

    In prose quotes and dashes are punctuation: their words are wanted like all others.
    """
    words = [clause for clause in query.clauses if isinstance(clause, Term) and not clause.negated]
    if len(words) <= PROSE_WORDS:
        return query
    clauses: list[QueryClause] = []
    for clause in query.clauses:
        if isinstance(clause, Term | Phrase):
            clauses += [Term(word) for word in clause.text.split()]
        else:
            clauses.append(clause)
    return Query(tuple(clauses))


def _plain_request(actor: Actor, query: SearchQuery, text: str) -> _Request:
    plain = Query(tuple(Term(word) for word in text.split()))
    return _request(actor, query, *resolve_query(actor.organization_id, plain))


def _request(
    actor: Actor, query: SearchQuery, parsed: Query, languages: Languages, names: Names = NO_NAMES
) -> _Request:
    strict = [clause for clause in parsed.clauses if not isinstance(clause, Term) or clause.negated]
    required = requirements(actor.organization_id, strict, languages, query.tag)
    lifted = {"is_archived": "any"} if query.is_archived is None and mentions_archived(parsed) else {}
    among = query.model_copy(update={"q": None, "tag": [], **lifted})
    where = [*filter_conditions(actor, among), *required.others]
    words = WordSearch(actor.organization_id, wanted_words(parsed, languages), required, names=names)
    is_filtered = bool(required.others) or among.model_dump(include={*FILTERS}, exclude_defaults=True) != {}
    return _Request(actor, parsed, words, where, is_filtered, names)


def _find(request: _Request, query: SearchQuery) -> Found:
    # A query of filters alone has nothing that could be meant.
    if query.mode == "text" or not request.query.text:
        return _by_words(request)
    is_semantic = query.mode == "semantic"
    meant = request.by_meaning(MEANING_WINDOW if is_semantic else FUSED_WINDOW)
    if meant is None or not (meant.ranked or meant.complete):
        return _by_words(request, degraded=True)
    found = _by_meaning(request, meant) if is_semantic else _fused(request, meant)
    return Found(found, degraded=not meant.complete)


def _by_words(request: _Request, *, degraded: bool = False) -> Found:
    return Found([(id_, score, ["text"]) for id_, score in request.by_words(WINDOW).ranked], degraded)


def _by_meaning(request: _Request, meant: ByMeaning) -> list[Hit]:
    """What is nearest in meaning, after the links whose addresses were asked for: an address means little."""
    hits: dict[int, Hit] = {id_: (id_, score, ["semantic"]) for id_, score in meant.ranked}
    links = request.same_links()
    likeness = similarities(request.actor, meant.vector, meant.model, [id_ for id_ in links if id_ not in hits])
    first: list[Hit] = [
        (id_, hits[id_][1], ["text", "semantic"]) if id_ in hits else (id_, likeness.get(id_, 0.0), ["text"])
        for id_ in links
    ]
    return [*first, *(hit for id_, hit in hits.items() if id_ not in links)]


def _fused(request: _Request, meant: ByMeaning) -> list[Hit]:
    """The first by words and the first by meaning, each with both scores; what the query names stays first."""
    best = request.by_words(FUSED_WINDOW)
    named = [id_ for id_, _ in best.ranked[: best.named]]
    by_words, by_meaning = dict(best.ranked), dict(meant.ranked)
    only_meant = [id_ for id_ in by_meaning if id_ not in by_words]
    only_worded = [id_ for id_ in by_words if id_ not in by_meaning]
    by_words |= request.words.scores(only_meant)
    nearest = set(by_meaning)
    by_meaning |= similarities(request.actor, meant.vector, meant.model, only_worded)
    hits: dict[int, Hit] = {}
    for id_, score in fuse(by_words, by_meaning):
        matched: list[Matched] = ["text"] if by_words.get(id_) or id_ in named else []
        hits[id_] = (id_, score, [*matched, "semantic"] if id_ in nearest else matched)
    return [*(hits[id_] for id_ in named), *(hit for id_, hit in hits.items() if id_ not in named)]
