"""What is known of an organization's documents when somebody searches: how many hold each word, what may be scored."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import text

from backend.bookmarks.query_conditions import Place, any_of
from backend.extensions import db
from backend.index.impacts import term_id
from backend.index.labels import generation_label, organization_label
from backend.index.statistics import scoring_budget
from backend.search.query_plan import Finder, Wanted
from backend.text.analysis import quoted
from backend.text.stop_words import stop_words_of_all

# Without stored counts documents are counted for the query, up to this bound.
COUNTED = 5_000

STORED = text("""
    SELECT s.documents, s.pages, s.terms, s.generation, s.counted_generation, t.term, t.documents AS holding,
           t.champions IS NOT NULL AS has_champions
      FROM search_statistics s
      LEFT JOIN search_terms t ON t.organization_id = s.organization_id AND t.term = ANY(:terms)
     WHERE s.organization_id = :organization_id
""")
COUNT = text("""
    SELECT found.holding, found.pages
      FROM unnest(CAST(CAST(:words AS text[]) AS tsquery[])) WITH ORDINALITY AS q(words, place)
     CROSS JOIN LATERAL (
           SELECT count(*) AS holding, count(one.page_impacts) AS pages
             FROM (SELECT d.page_impacts FROM bookmark_documents d WHERE d.document @@ q.words LIMIT :most) AS one
           ) AS found
     ORDER BY q.place
""")


@dataclass(frozen=True)
class Statistics:
    """What is known of an organization's documents.

    Attributes:
        documents: How many there are.
        holding: How many of them hold each place.
        common: Places of which the champions are known, for one of their lexemes at least.
        rare: Lexemes of such places whose own champions are not known, as few bookmarks hold them.
        fresh: Labels of what was written since the champions were chosen; none if there are no champions.
        budget: How many candidates may be scored.
        pages: How many documents may hold a stop word that are not counted as holding it: in pages it has no weight.
    """

    documents: int
    holding: dict[Place, int]
    common: frozenset[Place]
    fresh: tuple[str, ...]
    budget: int
    pages: int = 0
    rare: frozenset[str] = frozenset()

    def found_by(self, finder: Finder) -> int:
        """At most how many documents a finder finds, about."""
        return min(self._held_by(place) for place in finder.places if place in self.holding)

    def _held_by(self, place: Place) -> int:
        return self.holding[place] + (self.pages if place[0] in stop_words_of_all() else 0)

    def weight(self, place: Place) -> float:
        """How rare a place is: BM25's inverse document frequency, as Lucene has it, never negative."""
        holding = self.holding[place]
        return math.log(1 + (max(self.documents - holding, 0) + 0.5) / (holding + 0.5))


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
    holding = {}
    common = set()
    rare: set[str] = set()
    for place in wanted.places:
        known = {lexeme: stored.get(term) for lexeme, term in ((lexeme, terms[lexeme]) for lexeme in place)}
        # A document has one language, and a word as it is written counts as its stem where it has both.
        holding[place] = max(1, sum(row.holding for row in known.values() if row))
        if any(row and row.has_champions for row in known.values()):
            common.add(place)
            rare.update(lexeme for lexeme, row in known.items() if not (row and row.has_champions))
    # While the worker counts there are two generations, and more if it was broken off.
    generations = range(head.counted_generation, head.generation + 1)
    fresh = tuple(generation_label(organization_id, generation) for generation in generations)
    budget = scoring_budget(head.documents, head.pages)
    return Statistics(head.documents, holding, frozenset(common), fresh, budget, head.pages, frozenset(rare))


def _count(organization_id: int, wanted: Wanted) -> Statistics:
    """Statistics of an organization whose counts are not stored."""
    label = quoted(organization_label(organization_id))
    queries = [label, *(f"{label} & {any_of([place])}" for place in wanted.places)]
    everything, *rows = db.session.execute(COUNT, {"words": queries, "most": COUNTED}).all()
    holding = {place: row.holding for place, row in zip(wanted.places, rows, strict=True)}
    budget = scoring_budget(everything.holding, everything.pages)
    return Statistics(everything.holding, holding, frozenset(), (), budget)
