"""Impacts: the query-independent part of a term's BM25 score in a bookmark, computed when the bookmark is written.

BM25 is a sum over the terms of a query: the inverse document frequency (known at query time), times the term's impact
in this bookmark (known at writing time). Impacts are stored as sparse vectors, one dimension for each term, so that
PostgreSQL scores a bookmark with one inner product.

Sources: Robertson and Zaragoza 2009, doi:10.1561/1500000019, for BM25 and its form for texts of several fields; Anh and
Moffat 2006, doi:10.1145/1148170.1148235, for precomputed impacts.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from zlib import crc32

from backend.text.stemming import stem_of
from backend.text.stop_words import stop_words

# Term frequency saturation and length normalisation. Tuned on the development sets.
K1, B = 1.2, 0.65
# Weight of a word in the page, relative to one in the description.
PAGE_WEIGHT = 0.6
# Average lengths for an organization with too few bookmarks.
DEFAULT_LENGTH, DEFAULT_PAGE_LENGTH = 25.0, 600.0
# pgvector's limits of a sparse vector.
DIMENSIONS = 1_000_000_000
MAX_TERMS = 16_000

# Common words are asked about for most texts.
CACHE_ENTRIES = 8_192

# Impacts by term_id.
Impacts = dict[int, float]


@dataclass(frozen=True, slots=True)
class TermFrequencies:
    """The weighted frequency of each term, by term_id: eight bytes a term, where a dictionary takes two hundred."""

    ids: array[int]
    counts: array[float]

    @classmethod
    def of(cls, frequencies: Mapping[str, float]) -> TermFrequencies:
        """Pack frequencies, which are multiples of a half and so are exact as floats of four bytes."""
        return cls(array("I", _term_ids(frequencies)), array("f", frequencies.values()))


def term_id(term: str) -> int:
    """Return the dimension of a term, from 1: a hash, by which two terms of a query collide less than once in 10
    million."""
    return _term_ids((term,))[0]


def _term_ids(terms: Iterable[str]) -> list[int]:
    return [crc32(term.encode()) % DIMENSIONS + 1 for term in terms]


@lru_cache(maxsize=CACHE_ENTRIES)
def is_significant(term: str, language: str | None) -> bool:
    """Tell whether a term counts for scores and lengths: stop words and single letters do not, which measures
    better."""
    return len(stem_of(term)) > 1 and term not in stop_words(language)


def count_terms(positions: Mapping[str, Sequence[int]], language: str | None) -> tuple[dict[str, int], int]:
    """Count each significant term of a text, given with its positions, and all of them."""
    skipped = stop_words(language)
    counts = {term: len(at) for term, at in positions.items() if len(stem_of(term)) > 1 and term not in skipped}
    return counts, sum(counts.values())


def impacts_of(frequencies: TermFrequencies, length: float, average: float) -> Impacts:
    """Compute BM25's query-independent part: between 0 and K1 + 1 for each term.

    Args:
        frequencies: The weighted frequency of each term.
        length: The length of the text in significant terms, weighted likewise.
        average: The mean length of the organization's texts.
    """
    norm = K1 * (1 - B + B * length / max(average, 1.0))
    pairs = zip(frequencies.ids, frequencies.counts, strict=True)
    return {at: count * (K1 + 1) / (count + norm) for at, count in pairs}


def sparse_literal(impacts: Mapping[int, float], scale: float = 1.0) -> str:
    """Format impacts in pgvector's text form; beyond its limit, the highest ones."""
    items = impacts.items() if len(impacts) <= MAX_TERMS else nlargest(MAX_TERMS, impacts.items(), lambda pair: pair[1])
    return "{" + ",".join([f"{at}:{value * scale:.4g}" for at, value in items]) + f"}}/{DIMENSIONS}"
