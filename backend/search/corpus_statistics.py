"""Corpus statistics of an organization for a query: document frequencies, and the scoring budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import text

from backend.bookmarks.query_conditions import Posting, any_of
from backend.extensions import db
from backend.index.impacts import term_id
from backend.index.labels import generation_label, organization_label
from backend.index.statistics import scoring_budget
from backend.search.query_plan import Clause, QueryPlan
from backend.text.analysis import quoted
from backend.text.stop_words import stop_words_of_all

# Bound for counting documents where no counts are stored.
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
class CorpusStatistics:
    """Corpus statistics of an organization.

    Attributes:
        documents: Number of documents.
        holding: Document frequency of each posting.
        common: Postings with a champion list for at least one lexeme.
        rare: Lexemes of such postings without a champion list, since few bookmarks hold them.
        fresh: Labels of documents written since the champions were chosen; empty without champions.
        budget: Maximum number of candidates to score.
        pages: Documents that may hold a stop word in their page, where stop words are not counted.
    """

    documents: int
    holding: dict[Posting, int]
    common: frozenset[Posting]
    fresh: tuple[str, ...]
    budget: int
    pages: int = 0
    rare: frozenset[str] = frozenset()

    def found_by(self, clause: Clause) -> int:
        """Estimate the number of documents that a clause matches, at most."""
        return min(self._held_by(posting) for posting in clause.postings if posting in self.holding)

    def _held_by(self, posting: Posting) -> int:
        return self.holding[posting] + (self.pages if posting[0] in stop_words_of_all() else 0)

    def weight(self, posting: Posting) -> float:
        """Return BM25's inverse document frequency in Lucene's form, which is never negative."""
        holding = self.holding[posting]
        return math.log(1 + (max(self.documents - holding, 0) + 0.5) / (holding + 0.5))


def read_corpus_statistics(organization_id: int, plan: QueryPlan, *, is_counted: bool = True) -> CorpusStatistics:
    """Read the statistics for the words of a plan. One statement; two without stored counts, or one if the caller knows
    that there are none."""
    if not is_counted:
        return _count(organization_id, plan)
    terms = {lexeme: term_id(lexeme) for posting in plan.postings for lexeme in posting}
    rows = db.session.execute(STORED, {"organization_id": organization_id, "terms": list(terms.values())}).all()
    if not rows or not rows[0].terms:
        return _count(organization_id, plan)
    head = rows[0]
    stored = {row.term: row for row in rows}
    holding = {}
    common = set()
    rare: set[str] = set()
    for posting in plan.postings:
        rows_by_lexeme = {lexeme: stored.get(term) for lexeme, term in ((lexeme, terms[lexeme]) for lexeme in posting)}
        # A document has one language, and a word counts as its stem where it holds both.
        holding[posting] = max(1, sum(row.holding for row in rows_by_lexeme.values() if row))
        if any(row and row.has_champions for row in rows_by_lexeme.values()):
            common.add(posting)
            rare.update(lexeme for lexeme, row in rows_by_lexeme.items() if not (row and row.has_champions))
    # During a recount there are two generations, and more after an interrupted one.
    generations = range(head.counted_generation, head.generation + 1)
    fresh = tuple(generation_label(organization_id, generation) for generation in generations)
    budget = scoring_budget(head.documents, head.pages)
    return CorpusStatistics(head.documents, holding, frozenset(common), fresh, budget, head.pages, frozenset(rare))


def _count(organization_id: int, plan: QueryPlan) -> CorpusStatistics:
    """Count documents of an organization without stored counts."""
    label = quoted(organization_label(organization_id))
    queries = [label, *(f"{label} & {any_of([posting])}" for posting in plan.postings)]
    everything, *rows = db.session.execute(COUNT, {"words": queries, "most": COUNTED}).all()
    holding = {posting: row.holding for posting, row in zip(plan.postings, rows, strict=True)}
    budget = scoring_budget(everything.holding, everything.pages)
    return CorpusStatistics(everything.holding, holding, frozenset(), (), budget)
