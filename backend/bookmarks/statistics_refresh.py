"""Refresh of an organization's corpus statistics: rewrites documents with an outdated average, then counts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text

from backend.bookmarks.locking import lock_bookmarks
from backend.bookmarks.queries import id_in
from backend.bookmarks.search_documents import refresh_documents, reindex_pages
from backend.extensions import db
from backend.index.champions import CHAMPIONS, ChampionList, Terms, champion_lists, document_frequencies
from backend.index.impacts import DEFAULT_LENGTH, DEFAULT_PAGE_LENGTH, term_id
from backend.index.statistics import RARE_WORDS, SMALL, scoring_budget, scoring_cost
from backend.text.stop_words import stop_words_of_all

# Documents whose average differs by more than this share are rewritten.
DRIFT = 0.1
# The mean length of fewer documents in a language says little of it.
LANGUAGE_DOCUMENTS = 50

REWRITTEN_BATCH = 50
# Documents that come while others are rewritten change the averages again, as during an import.
MOST_ROUNDS = 3

# Terms in one statement, each with up to 1,000 champions: this many stay well within the statement timeout.
STORED_BATCH = 1_000

# Transactions that read the old generation commit within this time: they take milliseconds.
IN_FLIGHT_SECONDS = 0.5

TOTALS = text("""
    WITH of_language AS (
         SELECT language, count(*) AS number, avg(length) AS average
           FROM bookmark_documents
          WHERE organization_id = :organization_id AND language IS NOT NULL
          GROUP BY language)
    SELECT count(*) AS documents, count(d.page_impacts) AS pages, avg(d.length) AS average,
           avg(c.length) FILTER (WHERE c.length > 0) AS page_average,
           (SELECT coalesce(jsonb_object_agg(language, number), '{}') FROM of_language) AS languages,
           (SELECT coalesce(jsonb_object_agg(language, average) FILTER (WHERE number >= :fewest), '{}')
              FROM of_language) AS averages
      FROM bookmark_documents d LEFT JOIN bookmark_contents c ON c.bookmark_id = d.bookmark_id
     WHERE d.organization_id = :organization_id
""")

STORE_TOTALS = text("""
    INSERT INTO search_statistics
           (organization_id, documents, languages, pages, terms, generation, average, averages, page_average,
            counted_at)
    SELECT id, :documents, CAST(:languages AS jsonb), :pages, 0, 1, :average, CAST(:averages AS jsonb), :page_average,
           'epoch'
      FROM organizations WHERE id = :organization_id
    ON CONFLICT (organization_id) DO UPDATE
       SET documents = excluded.documents, languages = excluded.languages, pages = excluded.pages,
           average = excluded.average, averages = excluded.averages, page_average = excluded.page_average
""")

OUTDATED = text("""
    SELECT d.bookmark_id
      FROM bookmark_documents d
     CROSS JOIN LATERAL (
           SELECT coalesce(CAST(CAST(:averages AS jsonb) ->> d.language AS real), :average) AS average) AS mean
      LEFT JOIN bookmark_contents c ON c.bookmark_id = d.bookmark_id
     WHERE d.organization_id = :organization_id AND d.bookmark_id > :after
       AND (abs(d.average - mean.average) > :drift * mean.average
            OR (c.length > 0 AND abs(c.average - :page_average) > :drift * :page_average))
     ORDER BY d.bookmark_id LIMIT :batch
""")

# Documents written from here on carry the label of a new generation.
BEGIN = text("""
    UPDATE search_statistics SET generation = generation + 1 WHERE organization_id = :organization_id
    RETURNING generation AS counted_generation, clock_timestamp() AS counted_at
""")

LOCK = text("SELECT 1 FROM search_statistics WHERE organization_id = :organization_id FOR UPDATE")

DELETE_TERMS = text("DELETE FROM search_terms WHERE organization_id = :organization_id")

STORE_TERMS = text("""
    INSERT INTO search_terms (organization_id, term, documents, champions, champion_impacts)
    SELECT :organization_id, term, documents, CAST(champions AS bigint[]), CAST(impacts AS real[])
      FROM unnest(CAST(:terms AS integer[]), CAST(:documents AS integer[]), CAST(:champions AS text[]),
                  CAST(:impacts AS text[])) AS given(term, documents, champions, impacts)
""")

FINISH = text("""
    UPDATE search_statistics
       SET terms = :terms, counted_at = :counted_at, counted_generation = :counted_generation
     WHERE organization_id = :organization_id
""")


@dataclass(frozen=True)
class _Totals:
    """Numbers of documents and pages of an organization, and of documents by language, and average lengths."""

    documents: int
    languages: Mapping[str, int]
    pages: int
    average: float
    averages: Mapping[str, float]
    page_average: float

    def values(self) -> dict[str, Any]:
        """Return them as parameters of a statement."""
        return {**vars(self), "languages": json.dumps(self.languages), "averages": json.dumps(self.averages)}

    def differs_from(self, other: _Totals) -> bool:
        """Whether documents that were written with the other averages are outdated."""
        languages = {**self.averages, **other.averages}
        pairs = [(self.averages.get(each, self.average), other.averages.get(each, other.average)) for each in languages]
        pairs += [(self.average, other.average), (self.page_average, other.page_average)]
        return any(abs(theirs - ours) > DRIFT * ours for ours, theirs in pairs)


def refresh_statistics(organization_id: int) -> None:
    """Refresh an organization's corpus statistics, after rewriting the documents with an outdated average.

    Commits as it goes; safe to run twice and to interrupt. Where documents come in faster than they are rewritten, it
    counts nothing: the organization stays among those whose documents have changed.
    """
    begun = _settle_averages(organization_id)
    if begun is not None:
        _count_terms(organization_id, *begun)


def _settle_averages(organization_id: int) -> tuple[_Totals, dict[str, Any]] | None:
    """Store the averages and rewrite documents until those that came meanwhile do not change them; begin a generation.

    Returns:
        The totals of all documents before the generation, and its values; None where the averages do not settle.
    """
    totals = _read_totals(organization_id)
    for _ in range(MOST_ROUNDS):
        _store_totals(organization_id, totals)
        _rewrite_outdated(organization_id, totals)
        begun = db.session.execute(BEGIN, {"organization_id": organization_id}).one()._asdict()
        db.session.commit()
        time.sleep(IN_FLIGHT_SECONDS)
        before, totals = totals, _read_totals(organization_id)
        if not totals.differs_from(before):
            _store_totals(organization_id, totals)
            return totals, begun
    return None


def _read_totals(organization_id: int) -> _Totals:
    row = db.session.execute(TOTALS, {"organization_id": organization_id, "fewest": LANGUAGE_DOCUMENTS}).one()
    average, page_average = float(row.average or DEFAULT_LENGTH), float(row.page_average or DEFAULT_PAGE_LENGTH)
    return _Totals(row.documents, row.languages, row.pages, average, row.averages, page_average)


def _store_totals(organization_id: int, totals: _Totals) -> None:
    db.session.execute(STORE_TOTALS, {"organization_id": organization_id, **totals.values()})
    db.session.commit()


def _count_terms(organization_id: int, totals: _Totals, begun: Mapping[str, Any]) -> None:
    is_small = totals.documents * scoring_cost(totals.documents, totals.pages) <= SMALL
    terms, counts = (np.empty(0, np.int64),) * 2 if is_small else document_frequencies(organization_id)
    is_common = counts > min(CHAMPIONS, scoring_budget(totals.documents, totals.pages) // RARE_WORDS)
    if totals.pages:
        # Pages contain stop words everywhere with no impact: champion lists find those with an impact.
        is_common |= np.isin(terms, [term_id(word) for word in stop_words_of_all()])
    champions = champion_lists(organization_id, terms[is_common])
    db.session.rollback()
    db.session.execute(LOCK, {"organization_id": organization_id})
    db.session.execute(DELETE_TERMS, {"organization_id": organization_id})
    # A term of one document needs no row.
    terms, counts = terms[counts > 1], counts[counts > 1]
    _store_terms(organization_id, terms, counts, champions)
    db.session.execute(FINISH, {"organization_id": organization_id, "terms": len(terms), **begun})
    db.session.commit()


def _store_terms(organization_id: int, terms: Terms, counts: Terms, champions: Mapping[int, ChampionList]) -> None:
    for start in range(0, len(terms), STORED_BATCH):
        batch = terms[start : start + STORED_BATCH].tolist()
        lists = [champions.get(term, ChampionList(None, None)) for term in batch]
        values = {
            "terms": batch,
            "documents": counts[start : start + STORED_BATCH].tolist(),
            "champions": [champion_list.bookmarks for champion_list in lists],
            "impacts": [champion_list.impacts for champion_list in lists],
        }
        db.session.execute(STORE_TERMS, {"organization_id": organization_id, **values})


def _rewrite_outdated(organization_id: int, totals: _Totals) -> None:
    after = 0
    while True:
        bounds = {"after": after, "drift": DRIFT, "batch": REWRITTEN_BATCH}
        values = {"organization_id": organization_id, **totals.values(), **bounds}
        ids = list(db.session.scalars(OUTDATED, values))
        if not ids:
            return
        # Rows read before the lock may be stale.
        lock_bookmarks(id_in(ids))
        reindex_pages(ids)
        refresh_documents(ids)
        db.session.commit()
        after = ids[-1]
