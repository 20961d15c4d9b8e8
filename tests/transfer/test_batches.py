"""Batches are prepared ahead by a thread, in bounded memory, and their documents are those that would be made later."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.bookmarks.document_analysis import analyze_document
from backend.extensions import db
from backend.transfer.batches import MAX_CHARACTERS, MAX_RECORDS, read_ahead
from backend.transfer.options import ImportOptions
from backend.transfer.records import ImportedBookmark, Record, SkippedLine, UnreadableFile
from tests.support.api import Api
from tests.transfer.conftest import imported

unit = pytest.mark.unit


def records(count: int, description: str = "") -> Iterator[Record]:
    for number in range(1, count + 1):
        yield ImportedBookmark(number, f"https://example.org/{number}", "A title", description, tags=("one", "Two"))


def sizes(found: Iterator[Record]) -> list[int]:
    with read_ahead(found, ImportOptions()) as batches:
        return [len(batch.lines) for batch in batches]


@unit
def test_a_batch_has_a_thousand_records_or_as_many_as_are_not_too_long():
    assert sizes(records(0)) == []
    assert sizes(records(2 * MAX_RECORDS + 1)) == [MAX_RECORDS, MAX_RECORDS, 1]
    assert sizes(records(5, "x" * (MAX_CHARACTERS // 2))) == [2, 2, 1]


@unit
def test_a_thread_reads_one_batch_ahead_and_no_more():
    read: list[tuple[int, str]] = []

    def watched() -> Iterator[Record]:
        for record in records(5 * MAX_RECORDS):
            read.append((record.line, threading.current_thread().name))
            yield record

    with read_ahead(watched(), ImportOptions()) as batches:
        next(batches)
    assert len(read) == 2 * MAX_RECORDS
    assert {name.rpartition("_")[0] for _, name in read} == {"read-ahead"}


@unit
def test_a_fault_of_the_reader_comes_after_the_batches_before_it():
    def broken() -> Iterator[Record]:
        yield from records(MAX_RECORDS)
        raise UnreadableFile("cut off")

    with read_ahead(broken(), ImportOptions()) as batches:
        assert len(next(batches).lines) == MAX_RECORDS
        with pytest.raises(UnreadableFile, match="cut off"):
            next(batches)


@unit
def test_lines_say_what_becomes_of_them():
    found = [
        ImportedBookmark(1, "https://example.org/", "x" * 3_000, folders=("Work",)),
        ImportedBookmark(2, "ftp://example.org/"),
        SkippedLine(3, "javascript:void(0)", "It is a script."),
    ]
    with read_ahead(found, ImportOptions(capture=False)) as batches:
        [batch] = batches
    taken, failed, skipped = batch.lines
    assert taken.item is not None
    assert (taken.outcome, taken.item.tags, len(taken.key)) == ("duplicate", ["Work"], 32)
    assert taken.reasons == ("The title was cut to 2,000 characters.",)
    assert (failed.outcome, failed.item, skipped.outcome, skipped.item) == ("failed", None, "skipped", None)
    assert skipped.reasons == ("It is a script.",)
    [(texts, document)] = batch.documents.items()
    assert document == analyze_document(texts)


@pytest.mark.requires_db
@pytest.mark.requires_redis
def test_a_document_names_tags_as_the_organization_does(ada: Api):
    ada.save("https://example.org/saved", title="A title", tags=["AbstractBeanFactory"])
    link = {"url": "https://example.org/imported", "title": "A title", "tags": ["abstractbeanfactory"]}
    assert imported(ada, [link], capture="false")["created"] == 1
    with ada.app.app_context():
        words = text("SELECT tsvector_to_array(document) FROM bookmark_documents ORDER BY bookmark_id")
        saved, found = map(set, db.session.scalars(words))
        db.session.remove()
    # The parts of a name with capitals inside are found, too.
    assert "bean" in found
    assert saved ^ found == {"saved", "imported"}
