"""What is known of an organization's documents when somebody searches: how many hold each word, what may be scored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import text

from backend.bookmarks.document_conditions import Posting, any_lexeme
from backend.extensions import db
from backend.index.impacts import term_id
from backend.index.labels import generation_label, organization_label
from backend.index.statistics import scoring_budget
from backend.search.exact_matches import NO_NAMES, Names, name_columns, name_values, read_tiers
from backend.search.query_plan import Finder, Wanted
from backend.text.stop_words import stop_words_of_all
from backend.text.tokens import quoted

# Without stored counts documents are counted for the query, up to this bound.
COUNTED = 5_000

# One row, whether or not counts are stored: of the terms as arrays, since rows take longer to read.
STORED = """
    SELECT s.documents, s.pages, s.terms, s.generation, s.counted_generation, t.known, t.holding, t.common {names}
      FROM (SELECT CAST(:organization_id AS bigint) AS id) AS o
      LEFT JOIN search_statistics s ON s.organization_id = o.id
      LEFT JOIN LATERAL (
           SELECT array_agg(term) AS known, array_agg(documents) AS holding,
                  array_agg(term) FILTER (WHERE champions IS NOT NULL) AS common
             FROM search_terms
            WHERE organization_id = o.id AND term = ANY(:terms)) AS t ON true
"""
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
        tiers: Which bookmarks the query may name, as `read_tiers` tells.
    """

    documents: int
    holding: dict[Posting, int]
    common: frozenset[Posting]
    fresh: tuple[str, ...]
    budget: int
    pages: int = 0
    rare: frozenset[str] = frozenset()
    tiers: Mapping[int, int] = field(default_factory=dict)

    def found_by(self, finder: Finder) -> int:
        """At most how many documents a finder finds, about."""
        return min(self._held_by(place) for place in finder.places if place in self.holding)

    def _held_by(self, place: Posting) -> int:
        return self.holding[place] + (self.pages if place[0] in stop_words_of_all() else 0)

    def weight(self, place: Posting) -> float:
        """How rare a place is: BM25's inverse document frequency, as Lucene has it, never negative."""
        holding = self.holding[place]
        return math.log(1 + (max(self.documents - holding, 0) + 0.5) / (holding + 0.5))


def read_statistics(
    organization_id: int, wanted: Wanted, names: Names = NO_NAMES, *, is_counted: bool = True
) -> Statistics:
    """What is known of the organization, of the words wanted, and of what the query may name. One statement; two
    without stored counts, or one again if the caller knows that there are none and names nothing."""
    if not is_counted and names == NO_NAMES:
        return _count(organization_id, wanted)
    terms = {lexeme: term_id(lexeme) for place in wanted.places for lexeme in place}
    values = {"organization_id": organization_id, "terms": list(terms.values()), **name_values(names)}
    row = db.session.execute(text(STORED.format(names=name_columns(names))), values).one()
    tiers = read_tiers(row)
    if not row.terms:
        return replace(_count(organization_id, wanted), tiers=tiers)
    held = dict(zip(row.known or (), row.holding or (), strict=True))
    champions = {*(row.common or ())}
    holding = {}
    common = set()
    rare: set[str] = set()
    for place in wanted.places:
        # A document has one language, and a word as it is written counts as its stem where it has both.
        holding[place] = max(1, sum(held.get(terms[lexeme], 0) for lexeme in place))
        lacking = [lexeme for lexeme in place if terms[lexeme] not in champions]
        if len(lacking) < len(place):
            common.add(place)
            rare.update(lacking)
    # While the worker counts there are two generations, and more if it was broken off.
    generations = range(row.counted_generation, row.generation + 1)
    fresh = tuple(generation_label(organization_id, generation) for generation in generations)
    budget = scoring_budget(row.documents, row.pages)
    return Statistics(row.documents, holding, frozenset(common), fresh, budget, row.pages, frozenset(rare), tiers)


def _count(organization_id: int, wanted: Wanted) -> Statistics:
    """Statistics of an organization whose counts are not stored."""
    label = quoted(organization_label(organization_id))
    queries = [label, *(f"{label} & {any_lexeme([place])}" for place in wanted.places)]
    everything, *rows = db.session.execute(COUNT, {"words": queries, "most": COUNTED}).all()
    holding = {place: row.holding for place, row in zip(wanted.places, rows, strict=True)}
    budget = scoring_budget(everything.holding, everything.pages)
    return Statistics(everything.holding, holding, frozenset(), (), budget)
