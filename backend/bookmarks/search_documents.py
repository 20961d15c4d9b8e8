"""Search documents of bookmarks, written in the transaction that changes a bookmark or its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import fmean
from typing import Any

from sqlalchemy import Row, func, select, update

from backend.bookmarks.document_analysis import (
    MAX_EFFORT,
    AnalyzedDocument,
    DocumentTexts,
    analyze_document,
    index_page,
)
from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import id_in, select_bookmarks
from backend.extensions import db
from backend.index.impacts import DEFAULT_LENGTH, impacts_of, sparse_literal
from backend.index.labels import labels_of
from backend.index.models import SearchStatistics
from backend.named_blocks import read_statements
from backend.text.tokens import quoted

# A batch of this size provides an average for an organization without one.
LARGE_BATCH = 20
MAX_LITERAL_CHARACTERS = 2_000_000

SQL = read_statements(__file__)
KNOWN = select(SearchStatistics).where(SearchStatistics.organization_id == Bookmark.organization_id).correlate(Bookmark)
# By language; the average of all documents under "".
AVERAGES = (
    KNOWN.with_only_columns(func.jsonb_build_object("", SearchStatistics.average).concat(SearchStatistics.averages))
    .scalar_subquery()
    .label("search_averages")
)
GENERATION = KNOWN.with_only_columns(SearchStatistics.generation).scalar_subquery().label("search_generation")

# Documents that were analysed before they are due, by what they depend on.
KnownDocuments = Mapping[DocumentTexts, AnalyzedDocument]


def refresh_documents(
    bookmark_ids: Sequence[int], page_language: str | None = None, known: KnownDocuments | None = None
) -> dict[int, Row[Any]]:
    """Refresh the search documents of these bookmarks in the current transaction: two statements, more where the
    texts have megabytes.

    Texts that take too long together are deferred to a worker, except the first: one statement more.

    Args:
        bookmark_ids: The bookmarks.
        page_language: The language of the stems of their page, where its index has just been stored.
        known: Documents that need no analysis where a bookmark has these texts.

    Returns:
        The bookmarks by id, as rows for `queries.bookmark_out`.
    """
    if not bookmark_ids:
        return {}
    rows = db.session.execute(
        select_bookmarks(AVERAGES, GENERATION).where(id_in(bookmark_ids)).order_by(Bookmark.id)
    ).all()
    texts = [_texts(row) for row in rows]
    number = count_affordable(texts)
    if number < len(rows):
        _defer([row.id for row in rows[number:]])
    documents = [(known or {}).get(each) or analyze_document(each) for each in texts[:number]]
    default = fmean(document.length for document in documents) if number >= LARGE_BATCH else DEFAULT_LENGTH
    for part in _parts(documents):
        _write(rows[part], documents[part], default, page_language)
    return {row.id: row for row in rows}


def count_affordable(texts: Sequence[DocumentTexts]) -> int:
    """Count the leading texts that can be analysed in one call; the first always can."""
    efforts = accumulate(each.effort for each in texts)
    return max(1, sum(effort <= MAX_EFFORT for effort in efforts)) if texts else 0


def reindex_pages(bookmark_ids: Sequence[int]) -> None:
    """Rebuild the indexes of these bookmarks' pages from their stored texts, in the current transaction."""
    rows = db.session.execute(SQL["pages"], {"ids": list(bookmark_ids)}).all()
    stored = [(row.bookmark_id, index_page(row.text, row.language, row.page_average)) for row in rows]
    if stored:
        db.session.execute(SQL["store_page"], [{"bookmark_id": id_, **vars(page)} for id_, page in stored])


def _texts(row: Row[Any]) -> DocumentTexts:
    return DocumentTexts(row.title, tuple(row.tags), row.domain, row.description, row.notes, row.url, row.language)


def _defer(bookmark_ids: Sequence[int]) -> None:
    db.session.execute(
        update(Bookmark).where(id_in(bookmark_ids)).values(document_due_at=func.now()),
        execution_options={"synchronize_session": False},
    )


def _parts(documents: Sequence[AnalyzedDocument]) -> Iterator[slice]:
    """Divide documents among statements, each of a bounded length: the driver copies one several times."""
    start, length = 0, 0
    for index, document in enumerate(documents):
        if length and length + len(document.literal) > MAX_LITERAL_CHARACTERS:
            yield slice(start, index)
            start, length = index, 0
        length += len(document.literal)
    yield slice(start, len(documents))


def _write(
    rows: Sequence[Row[Any]], documents: Sequence[AnalyzedDocument], default: float, page_language: str | None
) -> None:
    averages = [
        _average_of(document.language, row.search_averages) or default
        for row, document in zip(rows, documents, strict=True)
    ]
    db.session.execute(
        SQL["refresh"],
        {
            "ids": [row.id for row in rows],
            "documents": [_literal(row, document) for row, document in zip(rows, documents, strict=True)],
            "impacts": [
                sparse_literal(impacts_of(document.frequencies, document.length, average))
                for document, average in zip(documents, averages, strict=True)
            ],
            "lengths": [document.length for document in documents],
            "averages": averages,
            "languages": [document.language for document in documents],
            "stem_languages": [document.stem_language for document in documents],
            "page_language": page_language,
        },
    )


def _average_of(language: str | None, averages: Mapping[str, float] | None) -> float | None:
    """Return the mean length of documents in a language; that of all documents where the language has none."""
    known = averages or {}
    return known.get(language or "") or known.get("")


def _literal(row: Row[Any], document: AnalyzedDocument) -> str:
    labels = labels_of(row.organization_id, row.domain, row.language, row.search_generation or 0)
    return " ".join([document.literal, *map(quoted, labels)])
