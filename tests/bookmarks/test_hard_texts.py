"""R-TRUST 5: saving many texts that are hard to take apart keeps nobody waiting; a worker indexes what is left."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.bookmarks import document_analysis, search_documents
from backend.bookmarks.jobs import refresh_due_documents
from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.text import tokens
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that are analysed for search documents."""
    lengths: list[int] = []

    def counting(text: str, language: str | None, room: int) -> tokens.TermPositions:
        lengths.append(len(text))
        return tokens.term_positions(text, language, room)

    monkeypatch.setattr(document_analysis, "term_positions", counting)
    return lengths


def due() -> int:
    return len(db.session.scalars(select(Bookmark.id).where(Bookmark.document_due_at.is_not(None))).all())


def test_a_bulk_of_hard_texts_is_left_to_a_worker(
    ada: Api, context: Flask, analysed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_documents, "MAX_EFFORT", 100_000)
    items = [
        {"url": f"https://example.org/{n}", "title": f"zebra {n}", "notes": "a-" * 15_000, "capture": False}
        for n in range(20)
    ]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 20
    assert sum(analysed) < 100_000 + 1_000
    assert due() == 17
    assert ada.get("/search", q="zebra", mode="text").json["total"] == 3
    analysed.clear()
    # Neither does whoever touches all of them afterwards analyse them in a request.
    assert ada.post("/bookmarks/actions", {"filter": {}, "action": "add_tags", "tags": ["t"]}).json["affected"] == 20
    assert sum(analysed) < 100_000 + 1_000
    refresh_due_documents()
    assert due() == 0
    assert ada.get("/search", q="zebra", mode="text").json["total"] == 20


def test_documents_of_a_bulk_that_is_long_are_written_by_parts(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_documents, "MAX_LITERAL_CHARACTERS", 300)
    written: list[int] = []
    write = search_documents._write

    def counting(rows: Any, *rest: Any) -> None:
        written.append(len(rows))
        write(rows, *rest)

    monkeypatch.setattr(search_documents, "_write", counting)
    notes = ["short", "short", "long " + " ".join(f"word{number}" for number in range(50)), "short"]
    items = [{"url": f"https://example.org/{n}", "notes": text, "capture": False} for n, text in enumerate(notes)]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 4
    # The long one makes a part of its own, wherever it comes among the ids.
    assert (sum(written), len(written) in (2, 3)) == (4, True)
    assert ada.get("/search", q="short", mode="text").json["total"] == 3
    assert ada.get("/search", q="word49", mode="text").json["total"] == 1


def test_a_bulk_of_plain_texts_is_found_at_once(ada: Api, context: Flask) -> None:
    items = [
        {"url": f"https://example.org/{n}", "title": "zebra", "notes": "plain words here " * 300, "capture": False}
        for n in range(200)
    ]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 200
    assert due() == 0
    assert ada.get("/search", q="zebra", mode="text").json["total"] == 200
