"""Ranking by words: BM25 over a bounded number of candidates, whatever the number of bookmarks.

The rarest words of a query find the candidates, all of them exactly, until so many bookmarks hold them that scoring
more would take too long. Of words that are more common than that, the bookmarks in which they weigh most are known
beforehand (their champions), and how much: those in which they weigh most together are candidates. What was written
since champions were chosen is looked at besides. Where there is more than may be scored, the newest is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Float,
    FromClause,
    Select,
    Subquery,
    Text,
    TextualSelect,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    union,
)

from backend.bookmarks.document_conditions import any_lexeme, any_tsquery, bookmark_matches, matches
from backend.bookmarks.models import Bookmark, BookmarkDocument
from backend.bookmarks.query_conditions import Requirements
from backend.extensions import db
from backend.index.impacts import DIMENSIONS, sparse_literal, term_id
from backend.index.labels import organization_label
from backend.index.nearest import Ranked
from backend.search.corpus_statistics import Statistics, read_statistics
from backend.search.exact_matches import NO_NAMES, NOT_NAMED, Names, named_bookmarks
from backend.search.query_plan import Finder, Wanted, any_finder
from backend.text.tokens import quoted

SCORED = """
    SELECT d.bookmark_id AS id,
           -(d.impacts <#> CAST(:weights AS sparsevec))
           + coalesce(-(d.page_impacts <#> CAST(:weights AS sparsevec)), 0) AS score
"""
OWN = "d.organization_id = :organization_id"
HOLDS = "d.document @@ CAST(:words AS tsquery)"
ONE_OF = "d.bookmark_id = ANY(CAST(:ids AS bigint[]))"
# The order is that of no index: reading along one until enough documents are found would unpack each on the way.
MATCHING = f"""{SCORED}
      FROM (SELECT d.bookmark_id, d.impacts, d.page_impacts FROM bookmark_documents d WHERE {OWN} AND {HOLDS}
             ORDER BY date_part('epoch', d.written_at) DESC LIMIT :budget) AS d
"""  # nosec B608
GIVEN = f"{SCORED} FROM bookmark_documents d WHERE {ONE_OF} AND {OWN}"  # nosec B608
CHAMPIONS = f"""{SCORED}
      FROM (SELECT champion.id
              FROM unnest(CAST(:terms AS integer[]), CAST(:term_weights AS float8[])) AS wanted(term, weight)
              JOIN search_terms t ON t.organization_id = :organization_id AND t.term = wanted.term
             CROSS JOIN LATERAL unnest(t.champions, t.champion_impacts) AS champion(id, impact)
             GROUP BY champion.id
             ORDER BY sum(wanted.weight * champion.impact) DESC, champion.id DESC LIMIT :budget) AS best
      JOIN bookmark_documents d ON d.bookmark_id = best.id AND {OWN}
"""  # nosec B608

NOTHING = Requirements("", False, ())

Scored = TextualSelect | Select[int, float]


class Best(NamedTuple):
    """The best matches; so many of the first are there because the query names them."""

    ranked: Ranked
    named: int


class WordSearch:
    """A search by words: what is wanted and required of an organization's bookmarks."""

    def __init__(
        self,
        organization_id: int,
        wanted: Wanted,
        required: Requirements = NOTHING,
        known: Statistics | None = None,
        names: Names = NO_NAMES,
    ) -> None:
        """Remember what to look for; nothing is read yet.

        Args:
            organization_id: Whose bookmarks.
            wanted: The words to rank by; without any, what is required is found, the newest first.
            required: What every result must fulfil.
            known: What `statistics` would read, if that has been read for these words and others together.
            names: What the query may name; what is named comes before everything else.
        """
        self.organization_id = organization_id
        self.wanted = wanted
        self.required = required
        self.names = names
        if known is not None:
            self.statistics = known

    @cached_property
    def statistics(self) -> Statistics:
        """What is known of the words wanted and the names; see `read_statistics`."""
        return read_statistics(self.organization_id, self.wanted, self.names)

    def best(self, where: Sequence[ColumnElement[bool]], limit: int, *, is_filtered: bool) -> Best:
        """The best matches by BM25: ids with their scores, those that hold all words first. Two to four statements.

        Args:
            where: Conditions on Bookmark that every result fulfils, those of `required` among them.
            limit: At most so many.
            is_filtered: Whether `where` leaves out more than the trash and the archive.
        """
        named = self._named()
        if not self.wanted.places or not (self.wanted.finders or self.required.bounded):
            # What holds no word at all finds nothing by itself but what has it for a title.
            if self.required.words or self.required.others:
                return Best(_newest(self.organization_id, self.required, where, limit), 0)
            return self._first([], named, where, limit)
        among = _few(where, self.statistics.budget) if is_filtered else None
        parts = self._among(among) if among is not None else self._everywhere(where if is_filtered else ())
        return self._first(list(parts), named, where, limit)

    def candidates(self, limit: int) -> Select[int, float]:
        """The best matches as a statement, to be made part of another. `statistics` are read; nothing else is."""
        parts = list(self._everywhere(()))
        found = (union(*parts) if len(parts) > 1 else parts[0]).subquery()
        return select(found.c.id, found.c.score).order_by(found.c.score.desc(), found.c.id.desc()).limit(limit)

    def score(self) -> ColumnElement[float]:
        """The BM25 score, as a column beside `BookmarkDocument`."""
        weights = cast(literal(self._weights_literal, Text), SPARSEVEC(DIMENSIONS))
        score = -BookmarkDocument.impacts.op("<#>", return_type=Float())(weights)
        page_score = -BookmarkDocument.page_impacts.op("<#>", return_type=Float())(weights)
        return (score + func.coalesce(page_score, 0)).label("score")

    def scores(self, ids: Sequence[int]) -> dict[int, float]:
        """The BM25 scores of these bookmarks, whether or not they hold any word. One statement."""
        if not ids or not self.wanted.places:
            return {}
        return {row.id: float(row.score) for row in db.session.execute(self._scored(GIVEN, ids=list(ids)))}

    def _among(self, ids: list[int]) -> Iterator[Scored]:
        """Those of these bookmarks that match."""
        words = self._words() if self.required.bounded else self._words(any_finder(self.wanted.finders))
        yield self._scored(f"{GIVEN} AND {HOLDS}", ids=ids, words=words)

    def _everywhere(self, where: Sequence[ColumnElement[bool]]) -> Iterator[Scored]:
        """Those of all bookmarks that match, as far as they may be among the best; `where` are further filters."""
        if self.required.bounded:
            yield self._matching()
            return
        rare, common, is_bounded = self._split()
        if rare:
            yield self._matching(any_finder(rare))
        if self.wanted.complete and not (rare and is_bounded):
            yield self._matching(self.wanted.complete, part=2)
        if common and self.statistics.fresh:
            yield self._champions(common)
            yield self._matching(any_tsquery([quoted(label) for label in self.statistics.fresh]), any_finder(common))
            if rare_forms := self._rare_forms(common):
                yield self._matching(any_lexeme([rare_forms]), any_finder(common), part=2)
            if where:
                yield self._passing(common, where)

    def _split(self) -> tuple[list[Finder], list[Finder], bool]:
        """What finds candidates, the rarest first, what is more common, and whether the first fit into the budget."""
        finders = sorted(self.wanted.finders, key=self.statistics.found_by)
        rare: list[Finder] = []
        left = self.statistics.budget
        for finder in finders:
            found = self.statistics.found_by(finder)
            if found > left and (rare or not self.statistics.common.isdisjoint(finder.places)):
                break
            rare.append(finder)
            left -= found
        return rare, finders[len(rare) :], left >= 0

    def _matching(self, *words: str, part: int = 1) -> Scored:
        return self._scored(MATCHING, words=self._words(*words), budget=max(1, self.statistics.budget // part))

    def _champions(self, common: Sequence[Finder]) -> Scored:
        weights = self._weights
        places = {place for finder in common for place in finder.places if place in self.statistics.common}
        terms = [term_id(lexeme) for place in places for lexeme in place]
        # By what is known beforehand the best in truth are well among these.
        best = max(1, self.statistics.budget // 2)
        values = {"terms": terms, "term_weights": [weights[term] for term in terms], "budget": best}
        # A champion of a single word holds it; of a word of several parts it may be the champion of one.
        if any(len(finder.places) > 1 for finder in common) or self.required.words:
            return self._scored(f"{CHAMPIONS} WHERE {HOLDS}", words=self._words(any_finder(common)), **values)
        return self._scored(CHAMPIONS, **values)

    def _rare_forms(self, common: Sequence[Finder]) -> list[str]:
        """Of common words the lexemes that few bookmarks hold, such as a stem of another language: they have no
        champions of their own."""
        lexemes = [lexeme for finder in common for place in finder.places for lexeme in place]
        return list(dict.fromkeys(lexeme for lexeme in lexemes if lexeme in self.statistics.rare))

    def _passing(self, common: Sequence[Finder], where: Sequence[ColumnElement[bool]]) -> Scored:
        """What passes filters and holds a common word, be it no champion: found by one more statement."""
        # OFFSET keeps the conditions from becoming a join, for which PostgreSQL might read all documents.
        passing = select(Bookmark.id).where(Bookmark.id == BookmarkDocument.bookmark_id, *where).offset(0)
        matching = matches(self.organization_id, " & ".join(filter(None, (any_finder(common), self.required.words))))
        which = select(BookmarkDocument.bookmark_id).where(
            BookmarkDocument.organization_id == self.organization_id,
            matching,
            passing.correlate(BookmarkDocument).exists(),
        )
        return self._scored(GIVEN, ids=list(db.session.scalars(which.limit(self.statistics.budget))))

    def _words(self, *words: str) -> str:
        """A tsquery for documents of the organization that fulfil all of these and what is required."""
        wanted = [quoted(organization_label(self.organization_id)), *words, self.required.words]
        return " & ".join(one for one in wanted if one)

    def _scored(self, statement: str, **values: object) -> TextualSelect:
        """A statement that scores documents as a selection of `id` and `score`."""
        values["weights"] = self._weights_literal
        values["organization_id"] = self.organization_id
        bound: list[BindParameter[Any]] = [bindparam(name, value, unique=True) for name, value in values.items()]
        return text(statement).bindparams(*bound).columns(column("id", BigInteger), column("score", Float))

    @cached_property
    def _weights_literal(self) -> str:
        return sparse_literal(self._weights)

    @cached_property
    def _weights(self) -> dict[int, float]:
        weights: dict[int, float] = {}
        for place, count in self.wanted.places.items():
            for lexeme in place:
                weights[term_id(lexeme)] = weights.get(term_id(lexeme), 0.0) + count * self.statistics.weight(place)
        return weights

    def _is_complete(self, candidates: Subquery) -> ColumnElement[bool]:
        """Whether a candidate holds all words; of all candidates, where that is no matter."""
        if not self.wanted.complete:
            return true()
        # Asked of the index: the documents themselves may be long.
        found = select(BookmarkDocument.bookmark_id).where(
            BookmarkDocument.organization_id == self.organization_id,
            matches(self.organization_id, self.wanted.complete),
        )
        return candidates.c.id.in_(found)

    def _named(self) -> CTE | None:
        """What the query names, whatever its words."""
        if self.names == NO_NAMES or not self.statistics.tiers:
            return None
        words = " & ".join(finder.words for finder in self.wanted.finders)
        return named_bookmarks(self.organization_id, self.statistics.tiers, words, self.required.words)

    def _scored_names(self, named: CTE) -> Select[int, float]:
        own = select(self.score()).where(BookmarkDocument.bookmark_id == named.c.id)
        # A document that is not written yet weighs nothing.
        score = func.coalesce(own.correlate(named).scalar_subquery(), 0)
        return select(named.c.id, cast(score, Float).label("score"))

    def _first(
        self, parts: Sequence[Scored], named: CTE | None, where: Sequence[ColumnElement[bool]], limit: int
    ) -> Best:
        """The best of the candidates that fulfil the conditions, those that are named before the others."""
        # Not after the others: SQLAlchemy cannot compile a selection that follows a text in a union.
        several = [self._scored_names(named), *parts] if named is not None else parts
        if not several:
            return Best([], 0)
        candidates = (union(*several) if len(several) > 1 else several[0]).subquery()
        complete = self._is_complete(candidates).label("complete")
        tier: ColumnElement[int] = literal_column(str(NOT_NAMED)).label("tier")
        among: FromClause = candidates
        if named is not None:
            tier = func.coalesce(named.c.tier, NOT_NAMED).label("tier")
            among = candidates.outerjoin(named, named.c.id == candidates.c.id)
        # The conditions are looked at for one candidate after the other, the best first, until there are enough.
        ordered = (
            select(candidates, complete, tier)
            .select_from(among)
            .order_by(tier, complete.desc(), candidates.c.score.desc(), candidates.c.id.desc())
            .offset(literal_column("0"))
            .subquery()
        )
        passing = select(literal_column("1")).where(Bookmark.id == ordered.c.id, *where).limit(1).lateral()
        best = (
            select(ordered.c.id, ordered.c.score, ordered.c.tier)
            .select_from(ordered.join(passing, true()))
            .order_by(ordered.c.tier, ordered.c.complete.desc(), ordered.c.score.desc(), ordered.c.id.desc())
            .limit(limit)
            .subquery()
        )
        # As arrays: a thousand rows would take longer to read than to find.
        found = select(func.array_agg(best.c.id), func.array_agg(best.c.score)).add_columns(
            func.count().filter(best.c.tier < NOT_NAMED)
        )
        ids, scores, first = db.session.execute(found).one()
        return Best(list(zip(ids or (), scores or (), strict=True)), first)


def _newest(organization_id: int, required: Requirements, where: Sequence[ColumnElement[bool]], limit: int) -> Ranked:
    if required.words:
        where = [*where, bookmark_matches(organization_id, required.words)]
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc()).limit(limit)
    return [(id_, 0.0) for id_ in db.session.scalars(newest)]


def _few(where: Sequence[ColumnElement[bool]], most: int) -> list[int] | None:
    """The bookmarks that the filters leave, if they are few."""
    # In the order of an index, so that a filter which many pass reads no more than it must.
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc())
    ids = db.session.scalars(newest.limit(most + 1)).all()
    return list(ids) if len(ids) <= most else None
