"""The search document of a bookmark: the words of its fields and of its page, where they stand and what they weigh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import Row, func, select, text, update

from backend.bookmarks.models import Bookmark, SearchStatistics
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
from backend.text.analysis import Token, analyze, lexeme_literal, quoted
from backend.text.language_detection import detect_language
from backend.text.stemming import AS_WRITTEN, language_of, language_of_stems, lexemes_of, primary_tag

# PostgreSQL refuses a tsvector over 1 MB. A lexeme takes its bytes, 8 more, and 2 for each place where it stands.
PAGE_BYTES = 500_000
# A batch this large has an average of its own, for an organization that has none yet.
LARGE_BATCH = 20
# What is analysed at once; a text that is hard to take apart takes 5 µs a character, plain words a quarter of that.
MAX_EFFORT = 1_000_000
PLAIN_WORD, PLAIN_PART = 20, 4
# Between two fields, so that no phrase begins in one and ends in the next.
GAP = 10


@dataclass(frozen=True)
class DocumentField:
    """What PostgreSQL calls the weight of a field, what one of its words counts beside one of the description, how many
    bytes it may take, and whether it holds names, which are not stemmed."""

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

REFRESH = text("""
    WITH given AS (
        SELECT g.*, b.organization_id
          FROM unnest(CAST(:ids AS bigint[]), CAST(:documents AS text[]), CAST(:impacts AS text[]),
                      CAST(:lengths AS real[]), CAST(:averages AS real[]), CAST(:languages AS text[]))
               AS g(id, document, impacts, length, average, language)
          JOIN bookmarks b ON b.id = g.id),
    spoken AS (
        INSERT INTO search_languages (organization_id, language)
        SELECT DISTINCT g.organization_id, s.language
          FROM given g CROSS JOIN LATERAL (VALUES (g.language), (CAST(:page_language AS text))) AS s(language)
         WHERE s.language IS NOT NULL
         ORDER BY g.organization_id, s.language
        ON CONFLICT DO NOTHING)
    INSERT INTO bookmark_documents
           (bookmark_id, organization_id, document, impacts, page_impacts, length, average, written_at)
    SELECT g.id, g.organization_id, CAST(g.document AS tsvector) || coalesce(c.vector, ''::tsvector),
           CAST(g.impacts AS sparsevec), c.impacts, g.length, g.average, clock_timestamp()
      FROM given g LEFT JOIN bookmark_contents c ON c.bookmark_id = g.id
     ORDER BY g.id
    ON CONFLICT (bookmark_id) DO UPDATE
       SET document = excluded.document, impacts = excluded.impacts, page_impacts = excluded.page_impacts,
           length = excluded.length, average = excluded.average, written_at = excluded.written_at
""")
PAGES = text("""
    SELECT c.bookmark_id, c.text, coalesce(b.language, '') AS language, s.page_average
      FROM bookmark_contents c JOIN bookmarks b ON b.id = c.bookmark_id
      LEFT JOIN search_statistics s ON s.organization_id = b.organization_id
     WHERE c.bookmark_id = ANY(:ids) ORDER BY c.bookmark_id FOR UPDATE OF c
""")
STORE_PAGE = text("""
    WITH spoken AS (
        INSERT INTO search_languages (organization_id, language)
        SELECT organization_id, CAST(:language AS text) FROM bookmarks
         WHERE id = :bookmark_id AND CAST(:language AS text) IS NOT NULL
        ON CONFLICT DO NOTHING)
    UPDATE bookmark_contents
       SET vector = CAST(:vector AS tsvector), impacts = CAST(:impacts AS sparsevec),
           length = :length, average = :average
     WHERE bookmark_id = :bookmark_id
""")
Number = TypeVar("Number", int, float)
KNOWN = select(SearchStatistics).where(SearchStatistics.organization_id == Bookmark.organization_id).correlate(Bookmark)
AVERAGE = KNOWN.with_only_columns(SearchStatistics.average).scalar_subquery().label("search_average")
GENERATION = KNOWN.with_only_columns(SearchStatistics.generation).scalar_subquery().label("search_generation")


@dataclass(frozen=True)
class PageIndex:
    """What is stored of a page's words: the tsvector and impacts as literals, the length and the average it was held
    against, in telling words, and the language that its stems name, if any."""

    vector: str
    impacts: str
    length: int
    average: float
    language: str | None


def refresh_documents(bookmark_ids: Sequence[int], page_language: str | None = None) -> dict[int, Row[Any]]:
    """Bring the search documents of these bookmarks up to date, in the transaction at hand: two statements.

    Of texts that would take too long together a worker does the later ones: one statement more. The first is always
    done here.

    Args:
        bookmark_ids: Which.
        page_language: The language that the stems of their page name, where it has just been stored with its index.

    Returns:
        The bookmarks by id, as `queries.bookmark_out` reads them.
    """
    if not bookmark_ids:
        return {}
    rows = db.session.execute(
        select_bookmarks(AVERAGE, GENERATION).where(id_in(bookmark_ids)).order_by(Bookmark.id)
    ).all()
    done = rows[: _how_many(rows)]
    if len(done) < len(rows):
        _defer([row.id for row in rows[len(done) :]])
    documents = [_document(row) for row in done]
    usual = fmean(one.length for one in documents) if len(documents) >= LARGE_BATCH else DEFAULT_LENGTH
    averages = [row.search_average or usual for row in done]
    pairs = list(zip(documents, averages, strict=True))
    db.session.execute(
        REFRESH,
        {
            "ids": [row.id for row in done],
            "documents": [one.literal for one in documents],
            "impacts": [sparse_literal(impacts_of(one.frequencies, one.length, at)) for one, at in pairs],
            "lengths": [one.length for one in documents],
            "averages": averages,
            "languages": [one.language for one in documents],
            "page_language": page_language,
        },
    )
    return {row.id: row for row in rows}


def _how_many(rows: Sequence[Row[Any]]) -> int:
    """How many of the first rows are analysed at once."""
    effort = 0
    for count, row in enumerate(rows):
        effort += sum(map(_effort, (row.title, row.description, row.notes)))
        if effort > MAX_EFFORT and count:
            return count
    return len(rows)


def _effort(text_: str) -> int:
    """The characters that take as long as this text: words with blanks between them are known from elsewhere."""
    is_plain = text_.count(" ") * PLAIN_WORD >= len(text_)
    return len(text_) // PLAIN_PART if is_plain else len(text_)


def _defer(bookmark_ids: Sequence[int]) -> None:
    db.session.execute(
        update(Bookmark).where(id_in(bookmark_ids)).values(document_due_at=func.now()),
        execution_options={"synchronize_session": False},
    )


def index_page(page_text: str, language: str | None, average: float | None) -> PageIndex:
    """What is stored of a page's words; of a page with more than PostgreSQL can hold, of its beginning.

    Args:
        page_text: The page as plain text.
        language: BCP 47 tag of its language.
        average: The mean length of the organization's pages in telling words, if it is known.
    """
    tag = primary_tag(language) or detect_language(page_text)
    tokens = _fitting(analyze(page_text, tag), PAGE_BYTES)
    counts, length = count_terms(tokens, tag)
    against = average or DEFAULT_PAGE_LENGTH
    impacts = sparse_literal(impacts_of(merge_stems(counts, tag), length, against), PAGE_WEIGHT)
    # One place is left free, so that no phrase begins in the fields and ends in the page.
    shifted = [token._replace(position=token.position + 1) for token in tokens]
    return PageIndex(lexeme_literal(shifted, "D"), impacts, length, against, language_of_stems(tag))


def stemming_language(row: Row[Any] | BookmarkOut) -> str | None:
    """The language by which a bookmark's words are stemmed: as its page states it, or guessed from the fields; None
    where neither tells."""
    return primary_tag(row.language) or detect_language(f"{row.title} {row.description} {row.notes}")


def merge_stems(frequencies: Mapping[str, Number], tag: str | None) -> dict[str, Number]:
    """The frequencies, those of a word as it is written added to those of its stem where the text holds both: for the
    score a tag `rust` and a title `Rust` are two occurrences of one word."""
    sums = dict(frequencies)
    for lexeme in frequencies:
        stem = next(iter(lexemes_of(lexeme, tag)), lexeme) if language_of(lexeme) is None else lexeme
        if stem != lexeme and stem in sums:
            sums[stem] += sums.pop(lexeme)
    return sums


def reindex_pages(bookmark_ids: Sequence[int]) -> None:
    """Index the pages of these bookmarks anew from their stored texts, in the transaction at hand."""
    rows = db.session.execute(PAGES, {"ids": list(bookmark_ids)}).all()
    stored = [(row.bookmark_id, index_page(row.text, row.language, row.page_average)) for row in rows]
    if stored:
        db.session.execute(STORE_PAGE, [{"bookmark_id": id_, **vars(page)} for id_, page in stored])


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
    at = 0
    for field_text, field in _fields(row):
        tokens = _fitting(analyze(field_text, AS_WRITTEN if field.is_as_written else tag), field.room)
        for token in tokens:
            frequencies[token.term] = frequencies.get(token.term, 0.0) + field.weight
            # An address is no text: its length says nothing.
            if field is not ADDRESS and is_significant(token.term, tag):
                length += field.weight
        if tokens:
            literals.append(
                lexeme_literal((token._replace(position=token.position + at) for token in tokens), field.label)
            )
            at += tokens[-1].position + GAP
    labels = labels_of(row.organization_id, row.domain, row.language, row.search_generation or 0)
    literals.extend(map(quoted, labels))
    return _Document(" ".join(literals), merge_stems(frequencies, tag), length, language_of_stems(tag))


def _fields(row: Row[Any]) -> Iterator[tuple[str, DocumentField]]:
    yield row.title, TITLE
    # Older bookmarks may have more than one may have now: PostgreSQL could not hold their words.
    for name in row.tags[:MAX_TAGS]:
        yield name, TAG
    yield row.domain, ADDRESS
    yield row.description, DESCRIPTION
    yield row.notes, NOTES
    address = urlsplit(row.url)
    yield unquote(f"{address.path} {address.query}".replace("+", " ")), ADDRESS


def _fitting(tokens: list[Token], free: int) -> list[Token]:
    """As many of the first tokens as fit into so many bytes."""
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
