"""What ranking knows of an organization's bookmarks as a whole, counted by the worker, never in a request.

How many documents hold each word, how long documents are on average, and of common words the bookmarks in which they
weigh most. The counts are made anew when a part of the documents has changed since; rankings move little in between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from backend.bookmarks.locking import lock_bookmarks
from backend.bookmarks.queries import one_of
from backend.bookmarks.search_documents import index_stored_pages, refresh_documents
from backend.extensions import db
from backend.index.impacts import USUAL_LENGTH, USUAL_PAGE_LENGTH, term_id
from backend.text.stop_words import stop_words_of_all

# How many candidates a search may score, if none has a page; a page's impacts lie out of line and take longer.
BUDGET, PAGE_COST = 5_000, 5
# Up to so many documents the words of a query are counted when somebody asks; fewer, where they have pages.
SMALL = 2_000
# Counts are made anew after so many changes, or after this part of the documents has changed.
CHANGES, CHANGED_PART = 50, 0.05
# An average that is off by more than this is worth writing documents anew for.
DRIFT = 0.1
# A word in more documents than this has champions, and so many. Where less may be scored, rarer words have them, too:
# so many words of a query that have none should fit into the budget.
CHAMPIONS = 1_000
RARE_WORDS = 2
REWRITTEN_BATCH, READ_BATCH = 50, 2_000
# So many words in a statement, each with up to a thousand champions, keep it well within the time it may take.
STORED_BATCH = 1_000
# How many entries are kept in memory before all but the champions among them are dropped.
KEPT = 6_000_000
# A transaction that read the old generation commits within this time: such take milliseconds.
IN_FLIGHT_SECONDS = 0.5

CHANGED = text("""
    SELECT o.id
      FROM organizations o
      LEFT JOIN search_statistics s ON s.organization_id = o.id
     CROSS JOIN LATERAL (
           SELECT greatest(:changes, CAST(coalesce(s.documents, 0) * CAST(:part AS float8) AS bigint)) AS most) bound
     WHERE bound.most <= (
           SELECT count(*) FROM (
                  SELECT 1 FROM bookmark_documents d
                   WHERE d.organization_id = o.id AND d.written_at > coalesce(s.counted_at, '-infinity')
                   LIMIT bound.most) AS written)
     ORDER BY o.id
""")
TOTALS = text("""
    SELECT count(*) AS documents, count(d.page_impacts) AS pages, avg(d.length) AS average,
           avg(c.length) FILTER (WHERE c.length > 0) AS page_average
      FROM bookmark_documents d LEFT JOIN bookmark_contents c ON c.bookmark_id = d.bookmark_id
     WHERE d.organization_id = :organization_id
""")
STORE_TOTALS = text("""
    INSERT INTO search_statistics
           (organization_id, documents, pages, terms, generation, average, page_average, counted_at)
    SELECT id, :documents, :pages, 0, 1, :average, :page_average, 'epoch'
      FROM organizations WHERE id = :organization_id
    ON CONFLICT (organization_id) DO UPDATE
       SET documents = excluded.documents, pages = excluded.pages,
           average = excluded.average, page_average = excluded.page_average
""")
OUTDATED = text("""
    SELECT d.bookmark_id
      FROM bookmark_documents d LEFT JOIN bookmark_contents c ON c.bookmark_id = d.bookmark_id
     WHERE d.organization_id = :organization_id AND d.bookmark_id > :after
       AND (abs(d.average - :average) > :drift * :average
            OR (c.length > 0 AND abs(c.average - :page_average) > :drift * :page_average))
     ORDER BY d.bookmark_id LIMIT :batch
""")
# What is written from here on carries the label of a new generation.
BEGIN = text("""
    UPDATE search_statistics SET generation = generation + 1 WHERE organization_id = :organization_id
    RETURNING generation AS counted_generation, clock_timestamp() AS counted_at
""")
READ = text("""
    SELECT bookmark_id, sparsevec_send(impacts) AS impacts, sparsevec_send(page_impacts) AS page_impacts
      FROM bookmark_documents
     WHERE organization_id = :organization_id AND bookmark_id > :after
     ORDER BY bookmark_id LIMIT :batch
""")
LOCK = text("SELECT 1 FROM search_statistics WHERE organization_id = :organization_id FOR UPDATE")
FORGET_TERMS = text("DELETE FROM search_terms WHERE organization_id = :organization_id")
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

Terms = NDArray[np.int64]
Impacts = NDArray[np.float32]
# Of a binary sparse vector: dimensions, entries, unused; then the entries' places from 0, then their values.
HEADER = 12


@dataclass(frozen=True)
class Batch:
    """Entries of some documents: each a word, a document, and what the word weighs in it. One for each pair."""

    terms: Terms
    bookmarks: Terms
    impacts: Impacts


class Champions(NamedTuple):
    """The bookmarks in which a word weighs most, and what it weighs there, as array literals; None for a rare word."""

    bookmarks: str | None
    impacts: str | None


def scoring_budget(documents: int, pages: int) -> int:
    """How many candidates a search may score in an organization with so many documents, of which some have pages."""
    return int(BUDGET / _cost(documents, pages))


def changed_organizations() -> list[int]:
    """Organizations of which enough documents have changed since they were counted. One statement."""
    return list(db.session.scalars(CHANGED, {"changes": CHANGES, "part": CHANGED_PART}))


def refresh_statistics(organization_id: int) -> None:
    """Count an organization's documents anew, after writing those anew that were held against another average.

    Commits as it goes; safe to run twice and to break off.
    """
    totals = db.session.execute(TOTALS, {"organization_id": organization_id}).one()
    averages = {
        "average": float(totals.average or USUAL_LENGTH),
        "page_average": float(totals.page_average or USUAL_PAGE_LENGTH),
    }
    values = {"organization_id": organization_id, "documents": totals.documents, "pages": totals.pages, **averages}
    db.session.execute(STORE_TOTALS, values)
    db.session.commit()
    _rewrite_outdated(organization_id, averages)
    begun = db.session.execute(BEGIN, {"organization_id": organization_id}).one()._asdict()
    db.session.commit()
    time.sleep(IN_FLIGHT_SECONDS)
    is_small = totals.documents * _cost(totals.documents, totals.pages) <= SMALL
    terms, counts = (np.empty(0, np.int64),) * 2 if is_small else _count_terms(organization_id)
    is_common = counts > min(CHAMPIONS, scoring_budget(totals.documents, totals.pages) // RARE_WORDS)
    if totals.pages:
        # Pages hold these everywhere, but without any weight: only those in which they weigh something are of use.
        is_common |= np.isin(terms, [term_id(word) for word in stop_words_of_all()])
    champions = _champions(organization_id, terms[is_common])
    db.session.rollback()
    db.session.execute(LOCK, {"organization_id": organization_id})
    db.session.execute(FORGET_TERMS, {"organization_id": organization_id})
    # Of a word that one document holds nothing need be known.
    terms, counts = terms[counts > 1], counts[counts > 1]
    _store_terms(organization_id, terms, counts, champions)
    db.session.execute(FINISH, {"organization_id": organization_id, "terms": len(terms), **begun})
    db.session.commit()


def _store_terms(organization_id: int, terms: Terms, counts: Terms, champions: Mapping[int, Champions]) -> None:
    for start in range(0, len(terms), STORED_BATCH):
        batch = terms[start : start + STORED_BATCH].tolist()
        chosen = [champions.get(term, Champions(None, None)) for term in batch]
        given = {
            "terms": batch,
            "documents": counts[start : start + STORED_BATCH].tolist(),
            "champions": [one.bookmarks for one in chosen],
            "impacts": [one.impacts for one in chosen],
        }
        db.session.execute(STORE_TERMS, {"organization_id": organization_id, **given})


def _cost(documents: int, pages: int) -> float:
    """What scoring a document takes on average, one without a page being 1."""
    return 1 + PAGE_COST * pages / max(documents, 1)


def _rewrite_outdated(organization_id: int, averages: dict[str, float]) -> None:
    after = 0
    while True:
        bounds = {"after": after, "drift": DRIFT, "batch": REWRITTEN_BATCH}
        values = {"organization_id": organization_id, **averages, **bounds}
        ids = list(db.session.scalars(OUTDATED, values))
        if not ids:
            return
        # Against a writer that changes one of them in between.
        lock_bookmarks(one_of(ids))
        index_stored_pages(ids)
        refresh_documents(ids)
        db.session.commit()
        after = ids[-1]


def _count_terms(organization_id: int) -> tuple[Terms, Terms]:
    """All words, sorted, and how many documents hold each."""
    terms, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for batch in _read(organization_id):
        found, times = np.unique(batch.terms, return_counts=True)
        both = np.concatenate([terms, found])
        terms, places = np.unique(both, return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, times])).astype(np.int64)
    return terms, counts


def _champions(organization_id: int, common: Terms) -> dict[int, Champions]:
    """For each of these words the bookmarks in which it weighs most, the best first."""
    if not len(common):
        return {}
    kept = Batch(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    for batch in _read(organization_id):
        mine = common[np.minimum(np.searchsorted(common, batch.terms), len(common) - 1)] == batch.terms
        kept = Batch(
            np.concatenate([kept.terms, batch.terms[mine]]),
            np.concatenate([kept.bookmarks, batch.bookmarks[mine]]),
            np.concatenate([kept.impacts, batch.impacts[mine]]),
        )
        if len(kept.terms) > KEPT:
            kept = _best(kept)
    kept = _best(kept)
    starts = np.searchsorted(kept.terms, common)
    ends = np.searchsorted(kept.terms, common, side="right")
    return {
        int(term): Champions(
            "{" + ",".join(map(str, kept.bookmarks[start:end].tolist())) + "}",
            "{" + ",".join([f"{impact:.4g}" for impact in kept.impacts[start:end].tolist()]) + "}",
        )
        for term, start, end in zip(common, starts, ends, strict=True)
    }


def _best(batch: Batch) -> Batch:
    """Of each word the entries of its champions, the best first, newer ones before older equals."""
    order = np.lexsort((-batch.bookmarks, -batch.impacts, batch.terms))
    terms = batch.terms[order]
    place = np.arange(len(terms)) - np.searchsorted(terms, terms)
    order = order[place < CHAMPIONS]
    return Batch(batch.terms[order], batch.bookmarks[order], batch.impacts[order])


def _read(organization_id: int) -> Iterator[Batch]:
    after = 0
    while True:
        values = {"organization_id": organization_id, "after": after, "batch": READ_BATCH}
        rows = db.session.execute(READ, values).all()
        # No transaction stays open over it all: it would keep dead rows from being cleared away.
        db.session.rollback()
        if not rows:
            return
        vectors = [(row.bookmark_id, vector) for row in rows for vector in (row.impacts, row.page_impacts) if vector]
        yield _batch(vectors)
        after = rows[-1].bookmark_id


def _batch(vectors: list[tuple[int, bytes]]) -> Batch:
    sizes = [(len(vector) - HEADER) // 8 for _, vector in vectors]
    pairs = zip(vectors, sizes, strict=True)
    places, values = [], []
    for (_, vector), size in pairs:
        places.append(np.frombuffer(vector, ">i4", size, HEADER))
        values.append(np.frombuffer(vector, ">f4", size, HEADER + 4 * size))
    terms = np.concatenate(places).astype(np.int64) + 1
    documents, document = np.unique(np.array([id_ for id_, _ in vectors], np.int64), return_inverse=True)
    keys = terms * len(documents) + np.repeat(document, sizes)
    # A word of the fields and of the page is one.
    found, entry = np.unique(keys, return_inverse=True)
    impacts = np.bincount(entry, np.concatenate(values)).astype(np.float32)
    return Batch(found // len(documents), documents[found % len(documents)], impacts)
