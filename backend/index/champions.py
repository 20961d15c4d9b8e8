"""Document frequencies and champion lists: how many documents hold each word, and where common words weigh most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from backend.extensions import db

# A word in more documents than this has champions, and so many. Where less may be scored, rarer words have them, too:
# so many words of a query that have none should fit into the budget.
CHAMPIONS = 1_000

READ_BATCH = 2_000

# How many entries are kept in memory before all but the champions among them are dropped.
MAX_ENTRIES = 6_000_000

READ = text("""
    SELECT bookmark_id, sparsevec_send(impacts) AS impacts, sparsevec_send(page_impacts) AS page_impacts
      FROM bookmark_documents
     WHERE organization_id = :organization_id AND bookmark_id > :after
     ORDER BY bookmark_id LIMIT :batch
""")

Terms = NDArray[np.int64]

Impacts = NDArray[np.float32]

# Of a binary sparse vector: dimensions, entries, unused; then the entries' places from 0, then their values.
HEADER = 12


@dataclass(frozen=True)
class ImpactBatch:
    """Entries of some documents: each a word, a document, and what the word weighs in it. One for each pair."""

    terms: Terms
    bookmarks: Terms
    impacts: Impacts


class ChampionList(NamedTuple):
    """The bookmarks in which a word weighs most, and what it weighs there, as array literals; None for a rare word."""

    bookmarks: str | None
    impacts: str | None


def document_frequencies(organization_id: int) -> tuple[Terms, Terms]:
    """All words, sorted, and how many documents hold each."""
    terms, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for batch in _read(organization_id):
        found, times = np.unique(batch.terms, return_counts=True)
        both = np.concatenate([terms, found])
        terms, places = np.unique(both, return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, times])).astype(np.int64)
    return terms, counts


def champion_lists(organization_id: int, common: Terms) -> dict[int, ChampionList]:
    """For each of these words the bookmarks in which it weighs most, the best first."""
    if not len(common):
        return {}
    kept = ImpactBatch(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    for batch in _read(organization_id):
        mine = common[np.minimum(np.searchsorted(common, batch.terms), len(common) - 1)] == batch.terms
        kept = ImpactBatch(
            np.concatenate([kept.terms, batch.terms[mine]]),
            np.concatenate([kept.bookmarks, batch.bookmarks[mine]]),
            np.concatenate([kept.impacts, batch.impacts[mine]]),
        )
        if len(kept.terms) > MAX_ENTRIES:
            kept = _best(kept)
    kept = _best(kept)
    starts = np.searchsorted(kept.terms, common)
    ends = np.searchsorted(kept.terms, common, side="right")
    return {
        int(term): ChampionList(
            "{" + ",".join(map(str, kept.bookmarks[start:end].tolist())) + "}",
            "{" + ",".join([f"{impact:.4g}" for impact in kept.impacts[start:end].tolist()]) + "}",
        )
        for term, start, end in zip(common, starts, ends, strict=True)
    }


def _best(batch: ImpactBatch) -> ImpactBatch:
    """Of each word the entries of its champions, the best first, newer ones before older equals."""
    order = np.lexsort((-batch.bookmarks, -batch.impacts, batch.terms))
    terms = batch.terms[order]
    place = np.arange(len(terms)) - np.searchsorted(terms, terms)
    order = order[place < CHAMPIONS]
    return ImpactBatch(batch.terms[order], batch.bookmarks[order], batch.impacts[order])


def _read(organization_id: int) -> Iterator[ImpactBatch]:
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


def _batch(vectors: list[tuple[int, bytes]]) -> ImpactBatch:
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
    return ImpactBatch(found // len(documents), documents[found % len(documents)], impacts)
