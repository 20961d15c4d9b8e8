"""What the worker does beside capturing: vectors, search documents, clean-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from sqlalchemy import text

from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.service import _Slot
from backend.auth.jobs import purge_sessions
from backend.bookmarks.jobs import purge_trash, refresh_due_documents, resend_due_documents
from backend.extensions import current_settings, db
from backend.index import embeddings
from backend.index.embeddings import count_pending_embeddings, embed_next_batch, is_embedding_due
from backend.index.jobs import embed_bookmarks, resend_due_work
from backend.jobs import turns
from backend.jobs.queue import queue_depth
from backend.redis.client import redis_client
from tests.jobs.test_events import add_job
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


class FakeProvider:
    """Vectors of three numbers: the lengths of the first words. `before` runs while the vectors are being made."""

    model = "lengths"
    dimension = 3

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.before: Callable[[], object] = lambda: None
        self.fault: EmbeddingsUnavailable | None = None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.before()
        if self.fault:
            raise self.fault
        self.texts.extend(texts)
        rows = [[float(len(word)) for word in [*text.split(), "", "", ""][:3]] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), 3)


@pytest.fixture
def provider(context: Flask) -> Iterator[FakeProvider]:
    """The application's provider, as the worker finds it."""
    fake = FakeProvider()
    settings = current_settings()
    before = settings.EMBEDDING_PROVIDER
    settings.EMBEDDING_PROVIDER = "local"
    context.extensions["embeddings"] = _Slot(provider=fake)
    yield fake
    settings.EMBEDDING_PROVIDER = before
    del context.extensions["embeddings"]


def run(statement: str, **values: Any) -> Any:
    found = db.session.execute(text(statement), values)
    rows = found.all() if found.returns_rows else []  # type: ignore[attr-defined]
    db.session.commit()
    return rows


def test_every_waiting_bookmark_gets_a_vector_with_its_model_and_dimension(ada: Api, provider: FakeProvider) -> None:
    saved = [ada.save(f"https://example.org/{n}", title=f"number {n}", notes="more") for n in range(70)]
    assert count_pending_embeddings() == 70
    embed_bookmarks()
    assert count_pending_embeddings() == 0
    rows = run("SELECT bookmark_id, model, dimension, embedding::text AS vector FROM bookmark_embeddings ORDER BY 1")
    assert {row.bookmark_id for row in rows} == {bookmark["id"] for bookmark in saved}
    assert {(row.model, row.dimension) for row in rows} == {("lengths", 3)}
    assert rows[0].vector == "[6,1,4]"
    assert "number 0\nmore" in provider.texts


def test_an_edit_while_its_vector_is_made_asks_for_another(ada: Api, provider: FakeProvider) -> None:
    saved = ada.save("https://example.org/", title="before")

    def edit() -> None:
        provider.before = lambda: None
        assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "afterwards"}).status_code == 200

    provider.before = edit
    assert embed_next_batch(provider) == 1
    assert is_embedding_due()
    embed_bookmarks()
    assert provider.texts == ["before", "afterwards"]
    assert count_pending_embeddings() == 0


def test_a_bookmark_deleted_while_its_vector_is_made_spoils_no_other(ada: Api, provider: FakeProvider) -> None:
    gone = ada.save("https://example.org/gone", title="gone")
    ada.save("https://example.org/stays", title="stays")
    provider.before = lambda: ada.delete(f"/bookmarks/{gone['id']}", permanent="true")
    assert embed_next_batch(provider) == 2
    assert run("SELECT count(*) AS number FROM bookmark_embeddings")[0].number == 1
    assert count_pending_embeddings() == 0


def test_a_fault_of_the_provider_loses_nothing(ada: Api, provider: FakeProvider) -> None:
    ada.save("https://example.org/", title="patience")
    provider.fault = EmbeddingsUnavailable("It is away.", retryable=True)
    embed_bookmarks()
    assert count_pending_embeddings() == 1
    assert not is_embedding_due()  # Not at once again.
    provider.fault = None
    run("UPDATE bookmarks SET embedding_due_at = now()")
    embed_bookmarks()
    assert count_pending_embeddings() == 0


def test_a_bookmark_without_any_text_waits_for_no_vector(ada: Api, provider: FakeProvider) -> None:
    ada.save("https://example.org/bare")
    embed_bookmarks()
    assert count_pending_embeddings() == 0
    assert provider.texts == []


def test_a_large_account_does_not_make_others_wait_for_vectors(
    ada: Api, bob: Api, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "BATCH", 4)
    for number in range(9):
        ada.save(f"https://example.org/{number}", title=f"of ada {number}")
    for number in range(2):
        bob.save(f"https://example.org/{number}", title=f"of bob {number}")
    assert embed_next_batch(provider) == 4
    assert sorted(provider.texts) == ["of ada 0", "of ada 1", "of bob 0", "of bob 1"]
    embed_bookmarks()
    assert len(provider.texts) == 11


def test_everyone_has_a_turn_where_a_batch_has_no_room_for_all(
    person: Callable[..., Api], provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "BATCH", 2)
    names = ("ada", "bob", "cleo", "dan", "eve")
    for name in names:
        person(name).save("https://example.org/", title=name)
    for _ in range(25):
        run("UPDATE bookmarks SET embedding_due_at = now()")
        assert embed_next_batch(provider) == 2
    # Each batch begins with someone at random: that one is never among them has a chance below 1 in 50,000.
    assert set(provider.texts) == set(names)


def test_what_is_next_is_read_from_the_index_of_those_who_wait(ada: Api, provider: FakeProvider) -> None:
    ada.save("https://example.org/", title="due")
    counter = SqlCounter(db.engine)
    assert embed_next_batch(provider) == 1
    counter.close()
    assert len(counter.statements) == 5  # Whose turn it is, their claim, their lock, the vectors, the end of the claim.
    # Of a table of a few rows all are as soon read in any other way.
    for method in ("seqscan", "bitmapscan", "sort"):
        db.session.execute(text(f"SET LOCAL enable_{method} = off"))
    plan = "\n".join(db.session.scalars(text(f"EXPLAIN ANALYZE {embeddings.NEXT.text}"), {"batch": 64}))
    assert plan.count("ix_bookmarks_embedding_turns") == 4, plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(("status", "left"), [("queued", 6), ("running", 0)])
def test_a_job_that_waits_is_let_in_between_vectors(
    ada: Api, bob: Api, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, status: str, left: int
) -> None:
    monkeypatch.setattr(embeddings, "BATCH", 3)
    for name in ("SLICE_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(turns, name, 0.0)
    for number in range(9):
        ada.save(f"https://example.org/{number}", title=f"page {number}")
    add_job(bob, status=status)
    redis_client().flushdb()
    embed_bookmarks()
    assert count_pending_embeddings() == left
    assert queue_depth() == (left > 0)  # It goes on behind the job.


def test_the_schedulers_pass_asks_for_due_vectors_and_documents_once(ada: Api, provider: FakeProvider) -> None:
    ada.save("https://example.org/", title="due")
    run("UPDATE bookmarks SET document_due_at = now()")
    redis_client().flushall()
    for _ in range(2):
        resend_due_work()
        resend_due_documents()
    assert queue_depth() == 2


def test_deferred_search_documents_are_refreshed(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/", title="something")
    run("DELETE FROM bookmark_documents")
    run("UPDATE bookmarks SET document_due_at = now()")
    assert ada.get("/bookmarks", q="something").json["total"] == 0
    refresh_due_documents()
    assert ada.get("/bookmarks", q="something").json["items"][0]["id"] == saved["id"]


def test_the_trash_is_emptied_after_its_time(ada: Api, context: Flask) -> None:
    old, fresh, kept = (ada.save(f"https://example.org/{name}") for name in ("old", "fresh", "kept"))
    for bookmark in (old, fresh):
        ada.delete(f"/bookmarks/{bookmark['id']}")
    run("UPDATE bookmarks SET deleted_at = now() - interval '31 days' WHERE id = :id", id=old["id"])
    purge_trash()
    assert {row.id for row in run("SELECT id FROM bookmarks")} == {fresh["id"], kept["id"]}


def test_ended_sessions_are_deleted_after_a_day(ada: Api, bob: Api, context: Flask) -> None:
    run("UPDATE sessions SET revoked_at = now() - interval '2 days' WHERE user_id = :id", id=ada.user_id)
    purge_sessions()
    assert {row.user_id for row in run("SELECT user_id FROM sessions")} == {bob.user_id}
