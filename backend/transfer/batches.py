"""Batches of records, prepared for writing: mended, with the hashes of their URLs and their search documents.

None of this needs the database: a thread prepares the next batch while PostgreSQL works on the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from backend.bookmarks.document_analysis import AnalyzedDocument, DocumentTexts, analyze_document
from backend.bookmarks.schemas import BookmarkIn
from backend.bookmarks.search_documents import count_affordable
from backend.text.urls import domain_of, url_hash
from backend.transfer.mending import Refused, mend
from backend.transfer.options import ImportOptions
from backend.transfer.records import Record, SkippedLine
from backend.transfer.tally import Outcome

# So many records are one transaction; fewer where they are long, since three batches are in memory at a time.
MAX_RECORDS, MAX_CHARACTERS = 1_000, 2_000_000


@dataclass(frozen=True, slots=True)
class PreparedLine:
    """A record with the bookmark that can be saved of it, and the hash of its URL; or without, and what becomes of it.

    `reasons` tell why it cannot be saved, or what was mended.
    """

    record: Record
    item: BookmarkIn | None = None
    key: bytes = b""
    outcome: Outcome = "duplicate"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedBatch:
    """Lines of a file, and the documents of the bookmarks as they are if the line is all that is known of them."""

    lines: tuple[PreparedLine, ...]
    documents: dict[DocumentTexts, AnalyzedDocument]


@contextmanager
def read_ahead(records: Iterable[Record], options: ImportOptions) -> Iterator[Iterator[PreparedBatch]]:
    """Provide the batches of some records; a thread prepares the next one while the caller writes one."""
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        yield _ahead(_batches(records, options), thread)


def _ahead(batches: Iterator[PreparedBatch], thread: ThreadPoolExecutor) -> Iterator[PreparedBatch]:
    following = thread.submit(next, batches, None)
    while (batch := following.result()) is not None:
        following = thread.submit(next, batches, None)
        yield batch


def _batches(records: Iterable[Record], options: ImportOptions) -> Iterator[PreparedBatch]:
    lines: list[PreparedLine] = []
    length = 0
    for record in records:
        lines.append(_prepared(record, options))
        length += _length(record)
        if len(lines) == MAX_RECORDS or length > MAX_CHARACTERS:
            yield PreparedBatch(tuple(lines), _documents(lines))
            lines, length = [], 0
    if lines:
        yield PreparedBatch(tuple(lines), _documents(lines))


def _prepared(record: Record, options: ImportOptions) -> PreparedLine:
    if isinstance(record, SkippedLine):
        return PreparedLine(record, outcome="skipped", reasons=(record.reason,))
    try:
        mended = mend(record, options.folders == "tags", options.capture)
    except Refused as fault:
        return PreparedLine(record, outcome="failed", reasons=(str(fault),))
    return PreparedLine(record, mended.item, url_hash(mended.item.url), reasons=mended.remarks)


def _length(record: Record) -> int:
    if isinstance(record, SkippedLine):
        return 0
    return len(record.title) + len(record.description) + len(record.notes)


def _documents(lines: Iterable[PreparedLine]) -> dict[DocumentTexts, AnalyzedDocument]:
    texts = [_texts(line.item) for line in lines if line.item is not None]
    return {each: analyze_document(each) for each in texts[: count_affordable(texts)]}


def _texts(item: BookmarkIn) -> DocumentTexts:
    texts = (item.title or "", tuple(item.tags), domain_of(item.url), item.description or "", item.notes or "")
    return DocumentTexts(*texts, item.url)
