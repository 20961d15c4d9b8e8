"""Corpus statistics of an organization for a query: document frequencies, and the scoring budget."""

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
from backend.search.query_plan import Clause, QueryPlan
from backend.text.stemming import language_of
from backend.text.stop_words import stop_words_of_all
from backend.text.tokens import quoted

# Bound for counting documents where no counts are stored.
COUNTED = 5_000

# One row, with or without stored counts. The terms are arrays, since rows take longer to read.
STORED = """
    SELECT s.documents, s.languages, s.pages, s.terms, s.generation, s.counted_generation,
           t.known, t.holding, t.common {names}
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
class CorpusStatistics:
    """Corpus statistics of an organization.

    Attributes:
        documents: Number of documents.
        holding: Document frequency of each posting.
        among: Number of documents in the languages that have the word of a posting, where it is not that of all: a
            library in many languages makes the words of none of them rarer.
        common: Postings with a champion list for at least one lexeme.
        rare: Lexemes of such postings without a champion list, since few bookmarks hold them.
        fresh: Labels of documents written since the champions were chosen; empty without champions.
        budget: Maximum number of candidates to score.
        pages: Documents that may hold a stop word in their page, where stop words are not counted.
        tiers: Tiers of the bookmarks that the query may name; see `read_tiers`.
    """

    documents: int
    holding: dict[Posting, int]
    common: frozenset[Posting]
    fresh: tuple[str, ...]
    budget: int
    pages: int = 0
    rare: frozenset[str] = frozenset()
    tiers: Mapping[int, int] = field(default_factory=dict)
    among: Mapping[Posting, int] = field(default_factory=dict)

    def found_by(self, clause: Clause) -> int:
        """Estimate the number of documents that a clause matches, at most."""
        return min(self._held_by(posting) for posting in clause.postings if posting in self.holding)

    def _held_by(self, posting: Posting) -> int:
        return self.holding[posting] + (self.pages if posting[0] in stop_words_of_all() else 0)

    def weight(self, posting: Posting) -> float:
        """Return BM25's inverse document frequency in Lucene's form, which is never negative."""
        holding = self.holding[posting]
        others = max(self.among.get(posting, self.documents) - holding, 0)
        return math.log(1 + (others + 0.5) / (holding + 0.5))


def read_corpus_statistics(
    organization_id: int, plan: QueryPlan, names: Names = NO_NAMES, *, is_counted: bool = True
) -> CorpusStatistics:
    """Read the statistics for the words of a plan, and look up the names in the query. One statement; two without
    stored counts, or one if the caller knows that there are none and there are no names."""
    if not is_counted and names == NO_NAMES:
        return _count(organization_id, plan)
    terms = {lexeme: term_id(lexeme) for posting in plan.postings for lexeme in posting}
    values = {"organization_id": organization_id, "terms": list(terms.values()), **name_values(names)}
    row = db.session.execute(text(STORED.format(names=name_columns(names))), values).one()
    tiers = read_tiers(row)
    if not row.terms:
        return replace(_count(organization_id, plan), tiers=tiers)
    frequencies = dict(zip(row.known or (), row.holding or (), strict=True))
    with_champions = {*(row.common or ())}
    holding = {}
    among = {}
    common = set()
    rare: set[str] = set()
    for posting in plan.postings:
        # A document has one language, and a word counts as its stem where it holds both.
        holding[posting] = max(1, sum(frequencies.get(terms[lexeme], 0) for lexeme in posting))
        languages = {language_of(lexeme) for lexeme in posting if terms[lexeme] in frequencies} - {None}
        if languages:
            among[posting] = row.documents - sum(row.languages[each] for each in row.languages.keys() - languages)
        lacking = [lexeme for lexeme in posting if terms[lexeme] not in with_champions]
        if len(lacking) < len(posting):
            common.add(posting)
            rare.update(lacking)
    # During a recount there are two generations, and more after an interrupted one.
    generations = range(row.counted_generation, row.generation + 1)
    fresh = tuple(generation_label(organization_id, generation) for generation in generations)
    budget = scoring_budget(row.documents, row.pages)
    return CorpusStatistics(
        row.documents, holding, frozenset(common), fresh, budget, row.pages, frozenset(rare), tiers, among
    )


def _count(organization_id: int, plan: QueryPlan) -> CorpusStatistics:
    """Count documents of an organization without stored counts."""
    label = quoted(organization_label(organization_id))
    queries = [label, *(f"{label} & {any_lexeme([posting])}" for posting in plan.postings)]
    everything, *rows = db.session.execute(COUNT, {"words": queries, "most": COUNTED}).all()
    holding = {posting: row.holding for posting, row in zip(plan.postings, rows, strict=True)}
    budget = scoring_budget(everything.holding, everything.pages)
    return CorpusStatistics(everything.holding, holding, frozenset(), (), budget)
