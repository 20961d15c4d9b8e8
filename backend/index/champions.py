"""Document frequencies of terms, and champion lists: the bookmarks with the highest impacts of common terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from backend.extensions import db

# Length of a champion list, and document frequency above which a term has one. With a smaller scoring budget rarer
# terms have one too, so that the budget covers the terms of a query without one.
CHAMPIONS = 1_000

READ_BATCH = 2_000

# Number of entries in memory above which all but the champions are dropped.
MAX_ENTRIES = 6_000_000

READ = text("""
    SELECT bookmark_id, sparsevec_send(impacts) AS impacts, sparsevec_send(page_impacts) AS page_impacts
      FROM bookmark_documents
     WHERE organization_id = :organization_id AND bookmark_id > :after
     ORDER BY bookmark_id LIMIT :batch
""")

Terms = NDArray[np.int64]

Impacts = NDArray[np.float32]

# Binary sparse vector: dimensions, number of entries, unused; then the entries' indexes from 0, then their values.
HEADER = 12


@dataclass(frozen=True)
class ImpactBatch:
    """Impacts of some documents: a term, a document, and its impact there. One entry for each pair."""

    terms: Terms
    bookmarks: Terms
    impacts: Impacts


class ChampionList(NamedTuple):
    """The bookmarks with the highest impacts of a term, and these impacts, as array literals; None for a rare term."""

    bookmarks: str | None
    impacts: str | None


def document_frequencies(organization_id: int) -> tuple[Terms, Terms]:
    """Count the documents of each term: all terms, sorted, and their frequencies."""
    terms, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for batch in _read(organization_id):
        batch_terms, batch_counts = np.unique(batch.terms, return_counts=True)
        both_terms = np.concatenate([terms, batch_terms])
        terms, inverse = np.unique(both_terms, return_inverse=True)
        counts = np.bincount(inverse, np.concatenate([counts, batch_counts])).astype(np.int64)
    return terms, counts


def champion_lists(organization_id: int, common: Terms) -> dict[int, ChampionList]:
    """Find the champion list of each common term, the highest impact first."""
    if not len(common):
        return {}
    champions = ImpactBatch(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    for batch in _read(organization_id):
        is_common = common[np.minimum(np.searchsorted(common, batch.terms), len(common) - 1)] == batch.terms
        champions = ImpactBatch(
            np.concatenate([champions.terms, batch.terms[is_common]]),
            np.concatenate([champions.bookmarks, batch.bookmarks[is_common]]),
            np.concatenate([champions.impacts, batch.impacts[is_common]]),
        )
        if len(champions.terms) > MAX_ENTRIES:
            champions = _best(champions)
    champions = _best(champions)
    starts = np.searchsorted(champions.terms, common)
    ends = np.searchsorted(champions.terms, common, side="right")
    return {
        int(term): ChampionList(
            "{" + ",".join(map(str, champions.bookmarks[start:end].tolist())) + "}",
            "{" + ",".join([f"{impact:.4g}" for impact in champions.impacts[start:end].tolist()]) + "}",
        )
        for term, start, end in zip(common, starts, ends, strict=True)
    }


def _best(batch: ImpactBatch) -> ImpactBatch:
    """Return each term's champions, the highest impact first, newer bookmarks before older ones with equal impact."""
    order = np.lexsort((-batch.bookmarks, -batch.impacts, batch.terms))
    terms = batch.terms[order]
    rank = np.arange(len(terms)) - np.searchsorted(terms, terms)
    order = order[rank < CHAMPIONS]
    return ImpactBatch(batch.terms[order], batch.bookmarks[order], batch.impacts[order])


def _read(organization_id: int) -> Iterator[ImpactBatch]:
    after = 0
    while True:
        values = {"organization_id": organization_id, "after": after, "batch": READ_BATCH}
        rows = db.session.execute(READ, values).all()
        # One long transaction would keep VACUUM from removing dead rows.
        db.session.rollback()
        if not rows:
            return
        vectors = [(row.bookmark_id, vector) for row in rows for vector in (row.impacts, row.page_impacts) if vector]
        yield _batch(vectors)
        after = rows[-1].bookmark_id


def _batch(vectors: list[tuple[int, bytes]]) -> ImpactBatch:
    sizes = [(len(vector) - HEADER) // 8 for _, vector in vectors]
    pairs = zip(vectors, sizes, strict=True)
    indexes, values = [], []
    for (_, vector), size in pairs:
        indexes.append(np.frombuffer(vector, ">i4", size, HEADER))
        values.append(np.frombuffer(vector, ">f4", size, HEADER + 4 * size))
    terms = np.concatenate(indexes).astype(np.int64) + 1
    documents, document = np.unique(np.array([id_ for id_, _ in vectors], np.int64), return_inverse=True)
    keys = terms * len(documents) + np.repeat(document, sizes)
    # Impacts of a term in the fields and in the page are added.
    distinct, entry = np.unique(keys, return_inverse=True)
    impacts = np.bincount(entry, np.concatenate(values)).astype(np.float32)
    return ImpactBatch(distinct // len(documents), documents[distinct % len(documents)], impacts)
