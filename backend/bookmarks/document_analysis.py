"""Analysis of a bookmark's fields and page: their lexemes with positions, frequencies and lengths.

In: texts. Out: what `search_documents` writes. Pure: no database, so that an import analyses ahead in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import Row

from backend.bookmarks.schemas import MAX_TAGS, BookmarkOut
from backend.index.impacts import (
    DEFAULT_PAGE_LENGTH,
    PAGE_WEIGHT,
    TermFrequencies,
    count_terms,
    impacts_of,
    is_significant,
    sparse_literal,
)
from backend.text.language_detection import detect_language
from backend.text.stemming import AS_WRITTEN, SEPARATOR, language_of_stems, language_of_text, lexemes_of, primary_tag
from backend.text.tokens import TermPositions, lexeme_literal, term_positions

# PostgreSQL refuses a tsvector over 1 MB. A lexeme takes its bytes, 8 more, and 2 for each position.
PAGE_BYTES = 500_000
# Characters analysed in one call; a text that is hard to tokenise takes 5 µs a character, plain words a quarter.
MAX_EFFORT = 1_000_000
PLAIN_WORD, PLAIN_PART = 20, 4
# Caches of terms and stems: their entries, and the most characters of a cached name.
CACHE_ENTRIES, MAX_CACHED_CHARACTERS = 8_192, 40
# Positions between two fields, so that no phrase spans both.
GAP = 10

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class DocumentField:
    """A field's tsvector weight label, the weight of its words relative to the description, the bytes it may take, and
    whether it holds names, which are not stemmed."""

    label: str
    weight: float
    room: int
    is_as_written: bool = False


TITLE, TAG, ADDRESS = (
    DocumentField("A", 1.5, 70_000),
    DocumentField("A", 1.5, 1_500, True),
    DocumentField("C", 0.5, 15_000, True),
)
DESCRIPTION, NOTES = DocumentField("B", 1.0, 100_000), DocumentField("C", 1.0, 120_000)


class DocumentTexts(NamedTuple):
    """Everything that the analysis of a bookmark's fields depends on; `language` is that of its page."""

    title: str
    tags: tuple[str, ...]
    domain: str
    description: str
    notes: str
    url: str
    language: str | None = None

    @property
    def effort(self) -> int:
        """The effort of the analysis, in characters that are hard to tokenise: plain words are mostly cached."""
        return sum(map(_effort, (self.title, self.description, self.notes)))


@dataclass(frozen=True, slots=True)
class AnalyzedDocument:
    """The lexemes of a bookmark's fields as a tsvector literal, the weighted frequency of each term, the length in
    significant terms, its language, if it is known, and that of its stems, if any."""

    literal: str
    frequencies: TermFrequencies
    length: float
    language: str | None
    stem_language: str | None


@dataclass(frozen=True)
class PageIndex:
    """The index of a page's words: tsvector and impacts as literals, the length and the average length used for the
    impacts, in significant terms, and the language of its stems, if any."""

    vector: str
    impacts: str
    length: int
    average: float
    language: str | None


def analyze_document(texts: DocumentTexts) -> AnalyzedDocument:
    """Analyse the fields of a bookmark."""
    tag = stemming_language(texts)
    frequencies: dict[str, float] = {}
    length = 0.0
    literals = []
    next_position = 0
    for text, field in _fields(texts):
        terms, last = _terms_of(text, field, tag)
        for term, at in terms.items():
            frequencies[term] = frequencies.get(term, 0.0) + len(at) * field.weight
            # The length of a URL is no length of text.
            if field is not ADDRESS and is_significant(term, tag):
                length += len(at) * field.weight
        if terms:
            literals.append(lexeme_literal(terms, field.label, next_position))
            next_position += last + GAP
    merged = TermFrequencies.of(merge_stems(frequencies, tag))
    return AnalyzedDocument(" ".join(literals), merged, length, language_of_text(tag), language_of_stems(tag))


def index_page(page_text: str, language: str | None, average: float | None) -> PageIndex:
    """Build the index of a page's words; of a page beyond PostgreSQL's limit, of its beginning.

    Args:
        page_text: The page as plain text.
        language: BCP 47 tag of its language.
        average: The mean length of the organization's pages in significant terms, if it is known.
    """
    tag = primary_tag(language) or detect_language(page_text)
    terms = term_positions(page_text, tag, PAGE_BYTES).positions
    counts, length = count_terms(terms, tag)
    mean_length = average or DEFAULT_PAGE_LENGTH
    impacts = sparse_literal(impacts_of(TermFrequencies.of(merge_stems(counts, tag)), length, mean_length), PAGE_WEIGHT)
    # One position is left free, so that no phrase spans fields and page.
    return PageIndex(lexeme_literal(terms, "D", 1), impacts, length, mean_length, language_of_stems(tag))


def stemming_language(texts: DocumentTexts | Row[Any] | BookmarkOut) -> str | None:
    """Return the language of a bookmark's stems: that of its page, else the detected language of its fields; None in
    doubt."""
    return primary_tag(texts.language) or detect_language(f"{texts.title} {texts.description} {texts.notes}")


def merge_stems(frequencies: Mapping[str, Number], tag: str | None) -> dict[str, Number]:
    """Add the frequency of an unstemmed word to that of its stem where the text contains both: for the score a tag
    `rust` and a title `Rust` are two occurrences of one word."""
    sums = dict(frequencies)
    for word in frequencies:
        if SEPARATOR not in word and (stem := _stem_of_word(word, tag)) != word and stem in sums:
            sums[stem] += sums.pop(word)
    return sums


def _effort(text: str) -> int:
    is_plain = text.count(" ") * PLAIN_WORD >= len(text)
    return len(text) // PLAIN_PART if is_plain else len(text)


def _terms_of(text: str, field: DocumentField, tag: str | None) -> TermPositions:
    if not field.is_as_written:
        return term_positions(text, tag, field.room)
    if len(text) > MAX_CACHED_CHARACTERS:
        return term_positions(text, AS_WRITTEN, field.room)
    return _terms_of_name(text)


@lru_cache(maxsize=CACHE_ENTRIES)
def _terms_of_name(name: str) -> TermPositions:
    """Return the terms of a tag or a host: many bookmarks share them. So short a name fits into any field."""
    return term_positions(name, AS_WRITTEN, ADDRESS.room)


@lru_cache(maxsize=CACHE_ENTRIES)
def _stem_of_word(word: str, tag: str | None) -> str:
    """Return the stem of a word in a language, or the word itself without one."""
    return next(iter(lexemes_of(word, tag)), word)


def _fields(texts: DocumentTexts) -> Iterator[tuple[str, DocumentField]]:
    yield texts.title, TITLE
    # Bookmarks of earlier releases may have more tags than a tsvector can hold.
    for name in texts.tags[:MAX_TAGS]:
        yield name, TAG
    yield texts.domain, ADDRESS
    yield texts.description, DESCRIPTION
    yield texts.notes, NOTES
    address = urlsplit(texts.url)
    yield unquote(f"{address.path} {address.query}".replace("+", " ")), ADDRESS
