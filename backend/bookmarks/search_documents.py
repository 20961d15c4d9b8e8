"""Search documents of bookmarks: lexemes of their fields and pages, with positions and impacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import Row, func, select, update

from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import id_in, select_bookmarks
from backend.bookmarks.schemas import MAX_TAGS, BookmarkOut
from backend.extensions import db
from backend.index.impacts import (
    DEFAULT_LENGTH,
    DEFAULT_PAGE_LENGTH,
    PAGE_WEIGHT,
    count_terms,
    impacts_of,
    is_significant,
    sparse_literal,
)
from backend.index.labels import labels_of
from backend.index.models import SearchStatistics
from backend.named_blocks import read_statements
from backend.text.language_detection import detect_language
from backend.text.stemming import AS_WRITTEN, language_of, language_of_stems, lexemes_of, primary_tag
from backend.text.tokens import Token, analyze, lexeme_literal, quoted

# PostgreSQL refuses a tsvector over 1 MB. A lexeme takes its bytes, 8 more, and 2 for each position.
PAGE_BYTES = 500_000
# A batch of this size provides an average for an organization without one.
LARGE_BATCH = 20
# Characters analysed in one call; a text that is hard to tokenise takes 5 µs a character, plain words a quarter.
MAX_EFFORT = 1_000_000
PLAIN_WORD, PLAIN_PART = 20, 4
# Caches of tokens and stems: their entries, and the most characters of a cached name.
CACHE_ENTRIES, MAX_CACHED_CHARACTERS = 8_192, 40
# Positions between two fields, so that no phrase spans both.
GAP = 10


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

SQL = read_statements(__file__)
Number = TypeVar("Number", int, float)
KNOWN = select(SearchStatistics).where(SearchStatistics.organization_id == Bookmark.organization_id).correlate(Bookmark)
AVERAGE = KNOWN.with_only_columns(SearchStatistics.average).scalar_subquery().label("search_average")
GENERATION = KNOWN.with_only_columns(SearchStatistics.generation).scalar_subquery().label("search_generation")


@dataclass(frozen=True)
class PageIndex:
    """The index of a page's words: tsvector and impacts as literals, the length and the average length used for the
    impacts, in significant terms, and the language of its stems, if any."""

    vector: str
    impacts: str
    length: int
    average: float
    language: str | None


def refresh_documents(bookmark_ids: Sequence[int], page_language: str | None = None) -> dict[int, Row[Any]]:
    """Refresh the search documents of these bookmarks in the current transaction: two statements.

    Texts that take too long together are deferred to a worker, except the first: one statement more.

    Args:
        bookmark_ids: The bookmarks.
        page_language: The language of the stems of their page, where its index has just been stored.

    Returns:
        The bookmarks by id, as rows for `queries.bookmark_out`.
    """
    if not bookmark_ids:
        return {}
    rows = db.session.execute(
        select_bookmarks(AVERAGE, GENERATION).where(id_in(bookmark_ids)).order_by(Bookmark.id)
    ).all()
    done = rows[: _count_affordable(rows)]
    if len(done) < len(rows):
        _defer([row.id for row in rows[len(done) :]])
    documents = [_document(row) for row in done]
    default = fmean(document.length for document in documents) if len(documents) >= LARGE_BATCH else DEFAULT_LENGTH
    averages = [row.search_average or default for row in done]
    pairs = list(zip(documents, averages, strict=True))
    db.session.execute(
        SQL["refresh"],
        {
            "ids": [row.id for row in done],
            "documents": [document.literal for document in documents],
            "impacts": [
                sparse_literal(impacts_of(document.frequencies, document.length, average))
                for document, average in pairs
            ],
            "lengths": [document.length for document in documents],
            "averages": averages,
            "languages": [document.language for document in documents],
            "page_language": page_language,
        },
    )
    return {row.id: row for row in rows}


def _count_affordable(rows: Sequence[Row[Any]]) -> int:
    """Count the leading rows whose texts fit into one call."""
    effort = 0
    for count, row in enumerate(rows):
        effort += sum(map(_effort, (row.title, row.description, row.notes)))
        if effort > MAX_EFFORT and count:
            return count
    return len(rows)


def _effort(text_: str) -> int:
    """Estimate the effort of a text, in characters that are hard to tokenise: plain words are mostly cached."""
    is_plain = text_.count(" ") * PLAIN_WORD >= len(text_)
    return len(text_) // PLAIN_PART if is_plain else len(text_)


def _defer(bookmark_ids: Sequence[int]) -> None:
    db.session.execute(
        update(Bookmark).where(id_in(bookmark_ids)).values(document_due_at=func.now()),
        execution_options={"synchronize_session": False},
    )


def index_page(page_text: str, language: str | None, average: float | None) -> PageIndex:
    """Build the index of a page's words; of a page beyond PostgreSQL's limit, of its beginning.

    Args:
        page_text: The page as plain text.
        language: BCP 47 tag of its language.
        average: The mean length of the organization's pages in significant terms, if it is known.
    """
    tag = primary_tag(language) or detect_language(page_text)
    tokens = _fitting(analyze(page_text, tag), PAGE_BYTES)
    counts, length = count_terms(tokens, tag)
    mean_length = average or DEFAULT_PAGE_LENGTH
    impacts = sparse_literal(impacts_of(merge_stems(counts, tag), length, mean_length), PAGE_WEIGHT)
    # One position is left free, so that no phrase spans fields and page.
    shifted = [token._replace(position=token.position + 1) for token in tokens]
    return PageIndex(lexeme_literal(shifted, "D"), impacts, length, mean_length, language_of_stems(tag))


def stemming_language(row: Row[Any] | BookmarkOut) -> str | None:
    """Return the language of a bookmark's stems: that of its page, else the detected language of its fields; None in
    doubt."""
    return primary_tag(row.language) or detect_language(f"{row.title} {row.description} {row.notes}")


def merge_stems(frequencies: Mapping[str, Number], tag: str | None) -> dict[str, Number]:
    """Add the frequency of an unstemmed word to that of its stem where the text contains both: for the score a tag
    `rust` and a title `Rust` are two occurrences of one word."""
    sums = dict(frequencies)
    for lexeme in frequencies:
        stem = _stem_beside(lexeme, tag)
        if stem != lexeme and stem in sums:
            sums[stem] += sums.pop(lexeme)
    return sums


def reindex_pages(bookmark_ids: Sequence[int]) -> None:
    """Rebuild the indexes of these bookmarks' pages from their stored texts, in the current transaction."""
    rows = db.session.execute(SQL["pages"], {"ids": list(bookmark_ids)}).all()
    stored = [(row.bookmark_id, index_page(row.text, row.language, row.page_average)) for row in rows]
    if stored:
        db.session.execute(SQL["store_page"], [{"bookmark_id": id_, **vars(page)} for id_, page in stored])


@dataclass(frozen=True)
class _Document:
    literal: str
    frequencies: dict[str, float]
    length: float
    language: str | None


def _document(row: Row[Any]) -> _Document:
    tag = stemming_language(row)
    frequencies: dict[str, float] = {}
    length = 0.0
    literals = []
    next_position = 0
    for field_text, field in _fields(row):
        tokens = _tokens_of(field_text, field, tag)
        for token in tokens:
            frequencies[token.term] = frequencies.get(token.term, 0.0) + field.weight
            # The length of a URL is no length of text.
            if field is not ADDRESS and is_significant(token.term, tag):
                length += field.weight
        if tokens:
            literals.append(lexeme_literal(tokens, field.label, next_position))
            next_position += tokens[-1].position + GAP
    labels = labels_of(row.organization_id, row.domain, row.language, row.search_generation or 0)
    literals.extend(map(quoted, labels))
    return _Document(" ".join(literals), merge_stems(frequencies, tag), length, language_of_stems(tag))


def _tokens_of(text_: str, field: DocumentField, tag: str | None) -> Sequence[Token]:
    if not field.is_as_written:
        return _fitting(analyze(text_, tag), field.room)
    if len(text_) > MAX_CACHED_CHARACTERS:
        return _fitting(analyze(text_, AS_WRITTEN), field.room)
    return _tokens_of_name(text_)


@lru_cache(maxsize=CACHE_ENTRIES)
def _tokens_of_name(name: str) -> tuple[Token, ...]:
    """Return the tokens of a tag or a host: many bookmarks share them. So short a name fits into any field."""
    return tuple(analyze(name, AS_WRITTEN))


@lru_cache(maxsize=CACHE_ENTRIES)
def _stem_beside(lexeme: str, tag: str | None) -> str:
    """Return the stem of a word in a language, or the word itself if it is a stem already."""
    return next(iter(lexemes_of(lexeme, tag)), lexeme) if language_of(lexeme) is None else lexeme


def _fields(row: Row[Any]) -> Iterator[tuple[str, DocumentField]]:
    yield row.title, TITLE
    # Bookmarks of earlier releases may have more tags than a tsvector can hold.
    for name in row.tags[:MAX_TAGS]:
        yield name, TAG
    yield row.domain, ADDRESS
    yield row.description, DESCRIPTION
    yield row.notes, NOTES
    address = urlsplit(row.url)
    yield unquote(f"{address.path} {address.query}".replace("+", " ")), ADDRESS


def _fitting(tokens: list[Token], free: int) -> list[Token]:
    """Return as many leading tokens as fit into `free` bytes."""
    if len(tokens) * 16 < free and all(len(token.term) < 8 for token in tokens):
        return tokens
    seen: set[str] = set()
    for count, token in enumerate(tokens):
        free -= 2 if token.term in seen else _size(token.term)
        seen.add(token.term)
        if free < 0:
            return tokens[:count]
    return tokens


def _size(term: str) -> int:
    return len(term.encode()) + 12
