"""Word search: BM25 over a bounded number of candidates, whatever the number of bookmarks.

All documents with the rarest words of a query are candidates, as far as the scoring budget goes. Commoner words have
champion lists, computed beforehand: the bookmarks in which they weigh most, with their impacts; those of the highest
sum are candidates. Documents written since then are searched as well. Where there are more than may be scored, the
newest are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Select,
    Subquery,
    Text,
    TextualSelect,
    cast,
    column,
    func,
    literal,
    select,
    union,
)

from backend.bookmarks.document_conditions import any_lexeme, any_tsquery, in_organization, matches
from backend.bookmarks.models import Bookmark, BookmarkDocument
from backend.bookmarks.query_conditions import Requirements
from backend.extensions import db
from backend.index.impacts import DIMENSIONS, sparse_literal, term_id
from backend.index.nearest import Ranked
from backend.search.corpus_statistics import CorpusStatistics, read_corpus_statistics
from backend.search.exact_matches import NO_NAMES, NOT_NAMED, Names, named_bookmarks
from backend.search.query_plan import Clause, QueryPlan, any_clause
from backend.search.selection import best_passing, few_passing, newest_passing
from backend.search.text_select import OWN_DOCUMENT, SCORE, holds, text_select
from backend.text.tokens import quoted

SCORED = f"SELECT d.bookmark_id AS id, {SCORE}"  # nosec B608
HOLDS = holds("words")
ONE_OF = "d.bookmark_id = ANY(CAST(:ids AS bigint[]))"
# No index has this order: a scan along one would unpack each document on the way until it has enough.
MATCHING = f"""{SCORED}
      FROM (SELECT d.bookmark_id, d.impacts, d.page_impacts FROM bookmark_documents d WHERE {OWN_DOCUMENT} AND {HOLDS}
             ORDER BY date_part('epoch', d.written_at) DESC LIMIT :budget) AS d
"""  # nosec B608
GIVEN = f"{SCORED} FROM bookmark_documents d WHERE {ONE_OF} AND {OWN_DOCUMENT}"  # nosec B608
CHAMPIONS = f"""{SCORED}
      FROM (SELECT champion.id
              FROM unnest(CAST(:terms AS integer[]), CAST(:term_weights AS float8[])) AS query(term, weight)
              JOIN search_terms t ON t.organization_id = :organization_id AND t.term = query.term
             CROSS JOIN LATERAL unnest(t.champions, t.champion_impacts) AS champion(id, impact)
             GROUP BY champion.id
             ORDER BY sum(query.weight * champion.impact) DESC, champion.id DESC LIMIT :budget) AS best
      JOIN bookmark_documents d ON d.bookmark_id = best.id AND {OWN_DOCUMENT}
"""  # nosec B608

NOTHING = Requirements("", False, ())

Scored = TextualSelect | Select[int, float]


class RankedMatches(NamedTuple):
    """The best matches; the first `named` of them are there because the query names them."""

    ranked: Ranked
    named: int


class WordSearch:
    """Word search of an organization's bookmarks: a query plan and requirements."""

    def __init__(
        self,
        organization_id: int,
        plan: QueryPlan,
        required: Requirements = NOTHING,
        statistics: CorpusStatistics | None = None,
        names: Names = NO_NAMES,
    ) -> None:
        """Set the search up; nothing is read yet.

        Args:
            organization_id: The organization.
            plan: The words that rank; without any, bookmarks that fulfil the requirements are ranked by age, the newest
                first.
            required: Requirements of every result.
            statistics: Corpus statistics for at least these words, if they have been read already.
            names: Names in the query; the bookmarks that they name come first.
        """
        self.organization_id = organization_id
        self.plan = plan
        self.required = required
        self.names = names
        if statistics is not None:
            self.statistics = statistics

    @cached_property
    def statistics(self) -> CorpusStatistics:
        """Corpus statistics of the plan's words and of the names; see `read_corpus_statistics`."""
        return read_corpus_statistics(self.organization_id, self.plan, self.names)

    def best(self, where: Sequence[ColumnElement[bool]], limit: int, *, is_filtered: bool) -> RankedMatches:
        """Return the best matches by BM25 with their scores, those with all words first. Two to four statements.

        Args:
            where: Conditions on Bookmark for every result, those of `required` included.
            limit: Maximum number of results.
            is_filtered: Whether `where` excludes more than the trash and the archive.
        """
        named, filters = self._named(), where if is_filtered else None
        if not self.plan.postings or not (self.plan.clauses or self.required.bounded):
            # Without any word, only requirements and titles can match.
            if self.required.words or self.required.others:
                return RankedMatches(newest_passing(self.organization_id, self.required, where, limit), 0)
            return self._first([], named, filters, limit)
        among = few_passing(filters, self.statistics.budget) if filters is not None else None
        parts = self._among(among) if among is not None else self._everywhere(filters or ())
        return self._first(list(parts), named, filters, limit)

    def candidates(self, limit: int) -> Select[int, float]:
        """Return the best matches as a statement, for use in another one. Only `statistics` are read."""
        parts = list(self._everywhere(()))
        matches = (union(*parts) if len(parts) > 1 else parts[0]).subquery()
        return select(matches.c.id, matches.c.score).order_by(matches.c.score.desc(), matches.c.id.desc()).limit(limit)

    def score(self) -> ColumnElement[float]:
        """Return the BM25 score as a column beside `BookmarkDocument`."""
        weights = cast(literal(self._weights_literal, Text), SPARSEVEC(DIMENSIONS))
        score = -BookmarkDocument.impacts.op("<#>", return_type=Float())(weights)
        page_score = -BookmarkDocument.page_impacts.op("<#>", return_type=Float())(weights)
        return (score + func.coalesce(page_score, 0)).label("score")

    def scores(self, ids: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of these bookmarks, 0 without a match. One statement."""
        if not ids or not self.plan.postings:
            return {}
        return {row.id: float(row.score) for row in db.session.execute(self._scored(GIVEN, ids=list(ids)))}

    def _among(self, ids: list[int]) -> Iterator[Scored]:
        """Yield statements for the matches among these bookmarks."""
        words = self._words() if self.required.bounded else self._words(any_clause(self.plan.clauses))
        yield self._scored(f"{GIVEN} AND {HOLDS}", ids=ids, words=words)

    def _everywhere(self, where: Sequence[ColumnElement[bool]]) -> Iterator[Scored]:
        """Yield statements for the matches among all bookmarks that may be among the best; `where` are further
        filters."""
        if self.required.bounded:
            yield self._matching()
            return
        rare, common, is_bounded = self._split()
        if rare:
            yield self._matching(any_clause(rare))
        if self.plan.complete and not (rare and is_bounded):
            yield self._matching(self.plan.complete, part=2)
        if common and self.statistics.fresh:
            yield self._champions(common)
            yield self._matching(any_tsquery([quoted(label) for label in self.statistics.fresh]), any_clause(common))
            if rare_forms := self._rare_forms(common):
                yield self._matching(any_lexeme([rare_forms]), any_clause(common), part=2)
            if where:
                yield self._passing(common, where)

    def _split(self) -> tuple[list[Clause], list[Clause], bool]:
        """Split the clauses into rare ones that fit into the budget and common ones; the flag tells whether the rare
        fit."""
        clauses = sorted(self.plan.clauses, key=self.statistics.found_by)
        rare: list[Clause] = []
        left = self.statistics.budget
        for clause in clauses:
            frequency = self.statistics.found_by(clause)
            if frequency > left and (rare or not self.statistics.common.isdisjoint(clause.postings)):
                break
            rare.append(clause)
            left -= frequency
        return rare, clauses[len(rare) :], left >= 0

    def _matching(self, *words: str, part: int = 1) -> Scored:
        return self._scored(MATCHING, words=self._words(*words), budget=max(1, self.statistics.budget // part))

    def _champions(self, common: Sequence[Clause]) -> Scored:
        weights = self._weights
        postings = {posting for clause in common for posting in clause.postings if posting in self.statistics.common}
        terms = [term_id(lexeme) for posting in postings for lexeme in posting]
        # By precomputed impacts the best matches are well within these.
        best = max(1, self.statistics.budget // 2)
        values = {"terms": terms, "term_weights": [weights[term] for term in terms], "budget": best}
        # A champion of a word of one part holds it; of a word of several parts it may hold only one.
        if any(len(clause.postings) > 1 for clause in common) or self.required.words:
            return self._scored(f"{CHAMPIONS} WHERE {HOLDS}", words=self._words(any_clause(common)), **values)
        return self._scored(CHAMPIONS, **values)

    def _rare_forms(self, common: Sequence[Clause]) -> list[str]:
        """Return the rare lexemes of common words, such as a stem of another language; they have no champions."""
        lexemes = [lexeme for clause in common for posting in clause.postings for lexeme in posting]
        return list(dict.fromkeys(lexeme for lexeme in lexemes if lexeme in self.statistics.rare))

    def _passing(self, common: Sequence[Clause], where: Sequence[ColumnElement[bool]]) -> Scored:
        """Return matches of common words that pass the filters, with or without being champions. One more statement."""
        # OFFSET prevents a join, for which PostgreSQL might read all documents.
        passing = select(Bookmark.id).where(Bookmark.id == BookmarkDocument.bookmark_id, *where).offset(0)
        matching = matches(self.organization_id, " & ".join(filter(None, (any_clause(common), self.required.words))))
        statement = select(BookmarkDocument.bookmark_id).where(matching, passing.correlate(BookmarkDocument).exists())
        return self._scored(GIVEN, ids=list(db.session.scalars(statement.limit(self.statistics.budget))))

    def _words(self, *words: str) -> str:
        """Build a tsquery for documents of the organization that match all of these and the requirements."""
        return in_organization(self.organization_id, *words, self.required.words)

    def _scored(self, statement: str, **values: object) -> TextualSelect:
        """Build a statement that selects `id` and `score`."""
        values["weights"] = self._weights_literal
        values["organization_id"] = self.organization_id
        return text_select(statement, values, column("id", BigInteger), column("score", Float))

    @cached_property
    def _weights_literal(self) -> str:
        return sparse_literal(self._weights)

    @cached_property
    def _weights(self) -> dict[int, float]:
        weights: dict[int, float] = {}
        for posting, count in self.plan.postings.items():
            for lexeme in posting:
                weights[term_id(lexeme)] = weights.get(term_id(lexeme), 0.0) + count * self.statistics.weight(posting)
        return weights

    def _is_complete(self, candidates: Subquery) -> ColumnElement[bool]:
        """Build the condition that a candidate holds all words."""
        # Evaluated on the index, since the documents may be long.
        complete = select(BookmarkDocument.bookmark_id).where(matches(self.organization_id, self.plan.complete))
        return candidates.c.id.in_(complete)

    def _named(self) -> CTE | None:
        """Select the bookmarks that the query names, whatever its words."""
        if self.names == NO_NAMES or not self.statistics.tiers:
            return None
        words = " & ".join(clause.words for clause in self.plan.clauses)
        tiers, required = self.statistics.tiers, self.required.words
        return named_bookmarks(self.organization_id, tiers, words, required, self._weights_literal)

    def _first(
        self, parts: Sequence[Scored], named: CTE | None, where: Sequence[ColumnElement[bool]] | None, limit: int
    ) -> RankedMatches:
        """Execute the ranking: candidates that fulfil the conditions, named ones first; see `best_passing`."""
        statements = [select(named.c.id, named.c.score), *parts] if named is not None else parts
        if not statements:
            return RankedMatches([], 0)
        candidates = (union(*statements) if len(statements) > 1 else statements[0]).subquery()
        among: FromClause = candidates
        keys: list[ColumnElement[Any]] = []
        if named is not None:
            among = candidates.outerjoin(named, named.c.id == candidates.c.id)
            keys.append(func.coalesce(named.c.tier, NOT_NAMED).label("tier"))
        if self.plan.complete:
            keys.append(self._is_complete(candidates).label("complete"))
        ids, scores, *first = db.session.execute(
            best_passing(select(candidates, *keys).select_from(among), where, limit)
        ).one()
        return RankedMatches(list(zip(ids or (), scores or (), strict=True)), sum(first))
