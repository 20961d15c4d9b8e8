"""What each word of a bookmark adds to its BM25 score, worked out when the bookmark is written.

BM25 is a sum over the words of a query: how rare the word is among all bookmarks (known when somebody asks), times how
much of this bookmark it makes (its impact, known when it is written). Impacts are kept as sparse vectors, one dimension
for each word, so that PostgreSQL scores a bookmark with one inner product.

Sources: Robertson and Zaragoza 2009, doi:10.1561/1500000019, for BM25 and its form for texts of several fields; Anh and
Moffat 2006, doi:10.1145/1148170.1148235, for impacts worked out beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nlargest
from zlib import crc32

from backend.text.analysis import Token
from backend.text.stemming import stem_of
from backend.text.stop_words import stop_words

# How soon more of a word adds nothing, and how much long texts are held against. Tuned on the development sets.
K1, B = 1.2, 0.65
# Of a word in the page, compared with one in the description.
PAGE_WEIGHT = 0.6
# Taken for the averages of an organization that has too few bookmarks to have any.
DEFAULT_LENGTH, DEFAULT_PAGE_LENGTH = 25.0, 600.0
# pgvector's bounds of a sparse vector.
DIMENSIONS = 1_000_000_000
MAX_TERMS = 16_000

# Impacts by term_id.
Impacts = dict[int, float]


def term_id(term: str) -> int:
    """The dimension of a lexeme, from 1: a hash, in which two words of a query meet less than once in 10 million."""
    return crc32(term.encode()) % DIMENSIONS + 1


def is_significant(term: str, language: str | None) -> bool:
    """Whether a lexeme takes part in scores and lengths; without the others both measure better."""
    return len(stem_of(term)) > 1 and term not in stop_words(language)


def count_terms(tokens: Iterable[Token], language: str | None) -> tuple[dict[str, int], int]:
    """How often each telling lexeme stands in a text, and how many there are in all."""
    skipped = stop_words(language)
    counts: dict[str, int] = {}
    for token in tokens:
        if len(stem_of(token.term)) > 1 and token.term not in skipped:
            counts[token.term] = counts.get(token.term, 0) + 1
    return counts, sum(counts.values())


def impacts_of(frequencies: Mapping[str, float], length: float, average: float) -> Impacts:
    """BM25's part that does not depend on the query: between 0 and K1 + 1 for each lexeme.

    Args:
        frequencies: How often each lexeme occurs, weighted by where.
        length: Of the text, in telling lexemes, weighted likewise.
        average: Of the lengths of all texts of the organization.
    """
    norm = K1 * (1 - B + B * length / max(average, 1.0))
    return {term_id(term): count * (K1 + 1) / (count + norm) for term, count in frequencies.items()}


def sparse_literal(impacts: Mapping[int, float], scale: float = 1.0) -> str:
    """pgvector's text form of the vector; of more than it can hold, the largest."""
    items = impacts.items() if len(impacts) <= MAX_TERMS else nlargest(MAX_TERMS, impacts.items(), lambda pair: pair[1])
    return "{" + ",".join([f"{at}:{value * scale:.4g}" for at, value in items]) + f"}}/{DIMENSIONS}"
