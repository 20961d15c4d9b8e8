"""Ranking by words: BM25 over a bounded number of candidates, whatever the number of bookmarks.

The rarest words of a query find the candidates, all of them exactly, until so many bookmarks hold them that scoring
more would take too long. Of words that are more common than that, the bookmarks in which they weigh most are known
beforehand (their champions). What was written since those were chosen is looked at besides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Float,
    Select,
    Text,
    any_,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    union,
)

from backend.bookmarks.analysis import query_forms, query_terms, quoted
from backend.bookmarks.analysis.tokens import TEXT
from backend.bookmarks.fulltext.conditions import Languages, Requirements, any_form, any_of, holds, matches
from backend.bookmarks.fulltext.impacts import DIMENSIONS, is_telling, sparse_literal, term_id
from backend.bookmarks.fulltext.labels import generation_label, organization_label
from backend.bookmarks.models import Bookmark, BookmarkDocument, SearchTerm
from backend.bookmarks.neighbours import Ranked
from backend.bookmarks.syntax import Query, Term
from backend.extensions import db

# How many words a query may have for bookmarks that hold them all to come first.
COMPLETE_WORDS = 4
# How many candidates a search may score, if none has a page; a page's impacts lie out of line and take longer.
BUDGET, PAGE_COST = 5_000, 5
# Without stored counts documents are counted for the query, up to this bound.
COUNTED = 5_000

NOTHING = Requirements("", False, ())

Scored = Select[int, float]
DOCUMENT = BookmarkDocument
# The lexemes of which one is wanted at a place of the query.
Place = tuple[str, ...]

STORED = text("""
    SELECT s.documents, s.pages, s.terms, s.generation, t.term, t.documents AS holding,
           t.champions IS NOT NULL AS has_champions
      FROM search_statistics s
      LEFT JOIN search_terms t ON t.organization_id = s.organization_id AND t.term = ANY(:terms)
     WHERE s.organization_id = :organization_id
""")
COUNT = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM bookmark_documents d WHERE d.document @@ q.words LIMIT :most) AS found)
      FROM unnest(CAST(CAST(:words AS text[]) AS tsquery[])) WITH ORDINALITY AS q(words, place)
     ORDER BY q.place
""")


@dataclass(frozen=True)
class Finder:
    """What makes a document a candidate: a word with all its parts, or two characters of a text without spaces.

    Attributes:
        words: As a tsquery.
        places: Of which all stand in what it finds, but for other ways to write the word.
    """

    words: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Wanted:
    """The words to rank by.

    Attributes:
        places: What is wanted, with how often the query asks for it, or how much it matters.
        finders: Of which every result fulfils one.
        complete: A tsquery for documents that hold all words; empty where that is no matter.
    """

    places: Mapping[Place, float]
    finders: tuple[Finder, ...]
    complete: str


@dataclass(frozen=True)
class Statistics:
    """What is known of an organization's documents.

    Attributes:
        documents: How many there are.
        holding: How many of them hold each place.
        common: Places of which the champions are known.
        generation: That what was written since champions were chosen is labelled with; None if there are none.
        budget: How many candidates may be scored.
    """

    documents: int
    holding: dict[Place, int]
    common: frozenset[Place]
    generation: int | None
    budget: int

    def found_by(self, finder: Finder) -> int:
        """At most how many documents a finder finds, about."""
        return min(self.holding[place] for place in finder.places if place in self.holding)

    def weight(self, place: Place) -> float:
        """How rare a place is: BM25's inverse document frequency, as Lucene has it, never negative."""
        holding = self.holding[place]
        return math.log(1 + (max(self.documents - holding, 0) + 0.5) / (holding + 0.5))


def wanted_words(query: Query, languages: Languages) -> Wanted:
    """What a query ranks by: its telling words; all of them where there is no other."""
    counts: Counter[Place] = Counter()
    for piece in (*query.words, *query.phrases):
        counts.update(_meant(place, languages) for place in query_terms(piece, languages))
    places: dict[Place, float] = {place: count for place, count in counts.items() if _tells(place)} or {**counts}
    finders = [finder for word in dict.fromkeys(query.words) for finder in _finders(word, languages)]
    telling = [finder for finder in finders if any(place in places for place in finder.places)]
    return Wanted(places, tuple(telling), _complete(query, languages))


def _finders(word: str, languages: Languages) -> Iterator[Finder]:
    for found in TEXT.finditer(word):
        if found.lastgroup == "run":
            yield from (Finder(any_of([place]), (tuple(place),)) for place in query_terms(found[0], languages))
        elif forms := _forms(found[0], languages):
            yield Finder(_in_any_order(forms), tuple(forms[0]))


def _forms(word: str, languages: Languages) -> list[list[Place]]:
    return [[_meant(place, languages) for place in form] for form in query_forms(word, languages)]


def read_statistics(organization_id: int, wanted: Wanted, *, is_counted: bool = True) -> Statistics:
    """What is known of the organization and of the words wanted. One statement; two without stored counts, or one again
    if the caller knows that there are none."""
    if not is_counted:
        return _count(organization_id, wanted)
    terms = {lexeme: term_id(lexeme) for place in wanted.places for lexeme in place}
    rows = db.session.execute(STORED, {"organization_id": organization_id, "terms": list(terms.values())}).all()
    if not rows or not rows[0].terms:
        return _count(organization_id, wanted)
    head = rows[0]
    stored = {row.term: row for row in rows}
    holding = dict.fromkeys(wanted.places, 1)
    common = set()
    for place in wanted.places:
        for lexeme in place:
            if (row := stored.get(terms[lexeme])) is not None:
                holding[place] = max(holding[place], row.holding)
                if row.has_champions:
                    common.add(place)
    cost = 1 + PAGE_COST * head.pages / max(head.documents, 1)
    return Statistics(head.documents, holding, frozenset(common), head.generation, int(BUDGET / cost))


def _newest(organization_id: int, required: Requirements, where: Sequence[ColumnElement[bool]], limit: int) -> Ranked:
    if required.words:
        where = [*where, holds(organization_id, required.words)]
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc()).limit(limit)
    return [(id_, 0.0) for id_ in db.session.scalars(newest)]


def _few(where: Sequence[ColumnElement[bool]], most: int) -> list[int] | None:
    """The bookmarks that the filters leave, if they are few."""
    # In the order of an index, so that a filter which many pass reads no more than it must.
    newest = select(Bookmark.id).where(*where).order_by(Bookmark.created_at.desc(), Bookmark.id.desc())
    ids = db.session.scalars(newest.limit(most + 1)).all()
    return list(ids) if len(ids) <= most else None


class WordSearch:
    """A search by words: what is wanted and required of an organization's bookmarks."""

    def __init__(
        self, organization_id: int, wanted: Wanted, required: Requirements = NOTHING, known: Statistics | None = None
    ) -> None:
        """Remember what to look for; nothing is read yet.

        Args:
            organization_id: Whose bookmarks.
            wanted: The words to rank by; without any, what is required is found, the newest first.
            required: What every result must fulfil.
            known: What `statistics` would read, if that has been read for these words and others together.
        """
        self.organization_id = organization_id
        self.wanted = wanted
        self.required = required
        if known is not None:
            self.statistics = known

    @cached_property
    def statistics(self) -> Statistics:
        """What is known of the words wanted; see `read_statistics`."""
        return read_statistics(self.organization_id, self.wanted)

    def best(self, where: Sequence[ColumnElement[bool]], limit: int, *, is_filtered: bool) -> Ranked:
        """The best matches by BM25: ids with their scores, those that hold all words first. Two to four statements.

        Args:
            where: Conditions on Bookmark that every result fulfils, those of `required` among them.
            limit: At most so many.
            is_filtered: Whether `where` leaves out more than the trash and the archive.
        """
        if not self.wanted.places or not (self.wanted.finders or self.required.bounded):
            # What holds no word at all finds nothing by itself.
            is_asked = self.required.words or self.required.others
            return _newest(self.organization_id, self.required, where, limit) if is_asked else []
        among = _few(where, self.statistics.budget) if is_filtered else None
        parts = self._among(among) if among is not None else self._everywhere(where if is_filtered else ())
        return _best(parts, self._is_complete, where, limit)

    def candidates(self, limit: int) -> Scored:
        """The best matches as a statement, to be made part of another. `statistics` are read; nothing else is."""
        parts = self._everywhere(())
        found = (union(*parts) if len(parts) > 1 else parts[0]).subquery()
        return select(found.c.id, found.c.score).order_by(found.c.score.desc(), found.c.id.desc()).limit(limit)

    def scores(self, ids: Sequence[int]) -> dict[int, float]:
        """The BM25 scores of these bookmarks, whether or not they hold any word. One statement."""
        if not ids or not self.wanted.places:
            return {}
        scored = self._scored(DOCUMENT.bookmark_id == any_(literal(list(ids), ARRAY(BigInteger))))
        return {row.id: float(row.score) for row in db.session.execute(scored)}

    def _among(self, ids: list[int]) -> list[Scored]:
        """Those of these bookmarks that match."""
        words = [] if self.required.bounded else [_any_finder(self.wanted.finders)]
        return [self._scored(DOCUMENT.bookmark_id == any_(literal(ids, ARRAY(BigInteger))), self._match(*words))]

    def _everywhere(self, where: Sequence[ColumnElement[bool]]) -> list[Scored]:
        """Those of all bookmarks that match, as far as they may be among the best; `where` are further filters."""
        budget = self.statistics.budget
        if self.required.bounded:
            return [self._scored(self._match()).limit(budget)]
        rare, common = self._split()
        parts = [self._scored(self._match(_any_finder(rare))).limit(budget)] if rare else []
        if common and self.statistics.generation is not None:
            parts.append(self._champions(common))
            parts.append(self._fresh(common))
            if self.wanted.complete and not rare:
                parts.append(self._scored(self._match(self.wanted.complete)).limit(budget))
            if where:
                passing = select(Bookmark.id).where(Bookmark.id == DOCUMENT.bookmark_id, *where).correlate(DOCUMENT)
                parts.append(self._scored(self._match(_any_finder(common)), passing.exists()).limit(budget))
        return parts

    def _is_complete(self, bookmark_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether a candidate holds all words; of all candidates, where that is no matter."""
        if not self.wanted.complete:
            return true()
        # Asked of the index: the documents themselves may be long.
        found = select(DOCUMENT.bookmark_id).where(
            DOCUMENT.organization_id == self.organization_id, matches(self.organization_id, self.wanted.complete)
        )
        return bookmark_id.in_(found)

    def _split(self) -> tuple[list[Finder], list[Finder]]:
        """What finds candidates within the budget, the rarest first, and what is more common."""
        finders = sorted(self.wanted.finders, key=self.statistics.found_by)
        rare: list[Finder] = []
        left = self.statistics.budget
        for finder in finders:
            left -= self.statistics.found_by(finder)
            if left < 0 and (rare or not self.statistics.common.isdisjoint(finder.places)):
                break
            rare.append(finder)
        return rare, finders[len(rare) :]

    def _champions(self, common: Sequence[Finder]) -> Scored:
        places = {place for finder in common for place in finder.places if place in self.statistics.common}
        terms = [term_id(lexeme) for place in places for lexeme in place]
        share = max(1, self.statistics.budget // max(1, len(places)))
        chosen = (
            select(func.unnest(SearchTerm.champions[1:share]).label("id"))
            .where(SearchTerm.organization_id == self.organization_id, SearchTerm.term.in_(terms))
            .distinct()
            .subquery()
        )
        # A champion of a single word holds it; of a word of several parts it may be the champion of one.
        parted = any(len(finder.places) > 1 for finder in common)
        matching = [self._match(_any_finder(common))] if parted or self.required.words else []
        return self._scored(DOCUMENT.bookmark_id.in_(select(chosen.c.id)), *matching)

    def _fresh(self, common: Sequence[Finder]) -> Scored:
        label = generation_label(self.organization_id, self.statistics.generation or 0)
        return self._scored(self._match(quoted(label), _any_finder(common)))

    def _match(self, *words: str) -> ColumnElement[bool]:
        return matches(self.organization_id, " & ".join(one for one in (*words, self.required.words) if one))

    def _scored(self, *which: ColumnElement[bool]) -> Scored:
        found: Scored = select(DOCUMENT.bookmark_id.label("id"), self.score())
        return found.where(DOCUMENT.organization_id == self.organization_id, *which)

    def score(self) -> ColumnElement[float]:
        """The BM25 score, as a column beside `BookmarkDocument`."""
        score = -DOCUMENT.impacts.op("<#>", return_type=Float())(self._weights())
        page_score = -DOCUMENT.page_impacts.op("<#>", return_type=Float())(self._weights())
        return (score + func.coalesce(page_score, 0)).label("score")

    def _weights(self) -> ColumnElement[Any]:
        weights: dict[int, float] = {}
        for place, count in self.wanted.places.items():
            for lexeme in place:
                weights[term_id(lexeme)] = weights.get(term_id(lexeme), 0.0) + count * self.statistics.weight(place)
        return cast(literal(sparse_literal(weights), Text), SPARSEVEC(DIMENSIONS))


def _best(
    parts: Sequence[Scored],
    is_complete: Callable[[ColumnElement[int]], ColumnElement[bool]],
    where: Sequence[ColumnElement[bool]],
    limit: int,
) -> Ranked:
    """The best of the candidates that fulfil the conditions."""
    found = (union(*parts) if len(parts) > 1 else parts[0]).subquery()
    complete = is_complete(found.c.id).label("complete")
    # The conditions are looked at for one candidate after the other, the best first, until there are enough.
    ordered = (
        select(found, complete)
        .order_by(complete.desc(), found.c.score.desc(), found.c.id.desc())
        .offset(literal_column("0"))
        .subquery()
    )
    passing = select(literal_column("1")).where(Bookmark.id == ordered.c.id, *where).limit(1).lateral()
    best = (
        select(ordered.c.id, ordered.c.score)
        .select_from(ordered.join(passing, true()))
        .order_by(ordered.c.complete.desc(), ordered.c.score.desc(), ordered.c.id.desc())
        .limit(limit)
    )
    return [(row.id, float(row.score)) for row in db.session.execute(best)]


def _any_finder(finders: Sequence[Finder]) -> str:
    return any_form([finder.words for finder in finders])


def _meant(place: Sequence[str], languages: Languages) -> Place:
    """A place without the stems that are stop words of some language: `da`, Portuguese for `of`, of `data`."""
    return (place[0], *(lexeme for lexeme in place[1:] if all(is_telling(lexeme, one) for one in languages)))


def _tells(place: Place) -> bool:
    # By the words that say little in any text: those of one language more are common there, and weigh little anyway.
    return is_telling(place[0], None)


def _complete(query: Query, languages: Languages) -> str:
    """A tsquery for documents that hold all words that tell something, wherever they stand."""
    words = list(
        dict.fromkeys(clause.text for clause in query.clauses if isinstance(clause, Term) and not clause.negated)
    )
    forms = [_forms(word, languages) for word in words]
    if sum(map(bool, forms)) > COMPLETE_WORDS:
        return ""
    telling = [found for found in forms if any(_tells(place) for form in found for place in form)]
    if len(telling) < 2:
        return ""
    return " & ".join(_in_any_order(found) for found in telling)


def _in_any_order(forms: Sequence[Sequence[Sequence[str]]]) -> str:
    """A tsquery for any form of a word, its parts wherever they stand: the index answers that alone."""
    return any_form(["(" + " & ".join(any_of([place]) for place in form) + ")" for form in forms])


def _count(organization_id: int, wanted: Wanted) -> Statistics:
    """Statistics of an organization whose counts are not stored."""
    label = quoted(organization_label(organization_id))
    queries = [label, *(f"{label} & {any_of([place])}" for place in wanted.places)]
    documents, *holding = db.session.scalars(COUNT, {"words": queries, "most": COUNTED}).all()
    return Statistics(documents, dict(zip(wanted.places, holding, strict=True)), frozenset(), None, BUDGET)
