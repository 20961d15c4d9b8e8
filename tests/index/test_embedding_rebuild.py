"""Moving a collection to another embedding model while search goes on, and the commands for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from backend.ai.embeddings.provider import EmbeddingsUnavailable, Vectors
from backend.ai.service import _Slot
from backend.cli import main
from backend.extensions import current_settings, db
from backend.index import embedding_rebuild
from backend.index.embedding_rebuild import remove_superseded
from backend.index.embeddings import count_pending_embeddings
from backend.index.jobs import embed_bookmarks, remove_superseded_vectors
from backend.jobs.queue import depth
from tests.support.api import Api
from tests.support.pages import add_vector

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


class NewModel:
    """Vectors of four numbers; every text means much the same."""

    model, dimension = "new", 4

    def __init__(self) -> None:
        self.is_down = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.is_down:
            raise EmbeddingsUnavailable("The endpoint is down.", retryable=True)
        rows = np.array([[1, len(text) / 100, 0, 0] for text in texts], np.float32).reshape(len(texts), 4)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def provider(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewModel]:
    """The settings name the new model, and the commands run in the tests' application."""
    settings = current_settings()
    for name, value in (("PROVIDER", "openai"), ("MODEL", "new"), ("DIMENSION", 4)):
        monkeypatch.setattr(settings, f"EMBEDDING_{name}", value)
    context.extensions["embeddings"] = _Slot(provider=(new := NewModel()))

    @contextmanager
    def connected() -> Iterator[Flask]:
        yield context

    monkeypatch.setattr("backend.cli.embeddings.connected_application", connected)
    monkeypatch.setattr(embedding_rebuild, "BATCH", 3)
    yield new
    del context.extensions["embeddings"]
    db.session.execute(text("DROP INDEX IF EXISTS ix_bookmark_embeddings_nearest_4"))
    db.session.commit()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["embeddings", *arguments], prog_name="python -m backend")


def embedded(api: Api, count: int, model: str = "old") -> list[int]:
    """Bookmarks whose vector another model made."""
    ids = [api.save(f"https://example.org/{model}/{place}", title=f"zebra {place}")["id"] for place in range(count)]
    for id_ in ids:
        add_vector(id_, [1, 0, 0], model)
    db.session.execute(text("UPDATE bookmarks SET embedding_due_at = NULL"))
    db.session.commit()
    return ids


def models() -> dict[str, int]:
    rows = db.session.execute(text("SELECT model, count(*) FROM bookmark_embeddings GROUP BY 1")).all()
    db.session.commit()
    return dict(map(tuple, rows))


def search(api: Api, mode: str = "hybrid") -> dict[str, Any]:
    answer = api.get("/search", q="zebra", mode=mode, page_size=100)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def test_a_collection_moves_while_search_goes_on(ada: Api, provider: NewModel) -> None:
    ids = embedded(ada, 20)
    before = search(ada)
    assert (before["degraded"], before["total"]) == (True, 20)
    moved = run("rebuild")
    assert moved.exit_code == 0, moved.output
    assert "To be embedded by new: 20" in moved.output
    assert depth() >= 1
    during = search(ada)
    assert (during["degraded"], during["total"]) == (True, 20)
    assert len(ada.get(f"/bookmarks/{ids[0]}/similar").json["items"]) == 10
    assert models() == {"old": 20}
    embed_bookmarks()
    assert models() == {"old": 20, "new": 20}
    after = search(ada, "semantic")
    assert (after["degraded"], after["total"]) == (False, 20)
    remove_superseded_vectors()
    assert models() == {"new": 20}
    assert len(ada.get(f"/bookmarks/{ids[0]}/similar").json["items"]) == 10


def test_one_can_wait_for_the_end(ada: Api, provider: NewModel) -> None:
    embedded(ada, 10)
    moved = run("rebuild", "--wait")
    assert moved.exit_code == 0, moved.output
    assert "Waiting: 10" in moved.output
    assert "Vectors of other models removed: 10" in moved.output
    assert models() == {"new": 10}
    again = run("rebuild", "--wait")
    assert "To be embedded by new: 0" in again.output
    assert models() == {"new": 10}


def test_one_organization_can_go_first(ada: Api, bob: Api, provider: NewModel) -> None:
    embedded(ada, 4)
    embedded(bob, 5, "older")
    moved = run("rebuild", "--wait", "--organization", str(ada.organization_id))
    assert moved.exit_code == 0, moved.output
    assert models() == {"new": 4, "older": 5}
    assert count_pending_embeddings() == 0


def test_old_vectors_stay_until_the_new_ones_are_complete(ada: Api, provider: NewModel) -> None:
    ids = embedded(ada, 5)
    for id_ in ids[1:]:
        add_vector(id_, [1, 0, 0, 0], "new")
    assert remove_superseded("new", 4) == 0
    add_vector(ids[0], [1, 0, 0], "new")
    assert remove_superseded("new", 4) == 0  # A vector of another length is none.
    db.session.execute(
        text("UPDATE bookmark_embeddings SET dimension = 4, embedding = '[1,0,0,0]' WHERE model = 'new'")
    )
    assert remove_superseded("new", 4) == 5
    assert models() == {"new": 5}


def test_a_process_on_the_settings_of_before_undoes_nothing(ada: Api, provider: NewModel) -> None:
    for id_ in embedded(ada, 3):
        add_vector(id_, [1, 0, 0, 0], "new")
    assert remove_superseded("old", 3, only_older=True) == 0
    assert models() == {"old": 3, "new": 3}


def test_vectors_of_another_length_under_the_same_name_are_made_anew(ada: Api, provider: NewModel) -> None:
    embedded(ada, 4, "new")
    assert "To be embedded by new: 4" in run("rebuild", "--wait").output
    assert db.session.scalars(text("SELECT DISTINCT dimension FROM bookmark_embeddings")).all() == [4]


def test_what_has_lost_its_text_loses_its_vectors(ada: Api, provider: NewModel) -> None:
    ids = embedded(ada, 3)
    db.session.execute(text("UPDATE bookmarks SET title = '', embedding_due_at = now() WHERE id = :id"), {"id": ids[0]})
    db.session.commit()
    run("rebuild", "--wait")
    assert models() == {"new": 2}


def test_an_endpoint_that_is_down_is_told_in_plain_words_and_loses_nothing(ada: Api, provider: NewModel) -> None:
    embedded(ada, 4)
    provider.is_down = True
    refused = run("rebuild", "--wait")
    assert refused.exit_code == 1
    assert "The endpoint is down." in refused.output
    assert models() == {"old": 4}
    assert count_pending_embeddings() == 4


def test_without_a_provider_there_is_nothing_to_move_to(
    ada: Api, provider: NewModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_settings(), "EMBEDDING_PROVIDER", "none")
    refused = run("rebuild")
    assert refused.exit_code == 1
    assert "EMBEDDING_PROVIDER is none" in refused.output


def test_the_status_tells_models_vectors_waiting_and_index(ada: Api, bob: Api, provider: NewModel) -> None:
    embedded(ada, 2)
    ada.save("https://example.org/waits", title="waits")
    shown = run("status").output.splitlines()
    assert shown == [
        "Provider:  openai",
        "Model:     new",
        "Dimension: 4",
        "Index:     none",
        "Waiting:   1",
        "Vectors:   2 of old (3), organizations: 1",
    ]
    run("rebuild", "--wait")
    shown = run("status").output.splitlines()
    assert shown[3:] == ["Index:     ready", "Waiting:   0", "Vectors:   3 of new (4), organizations: 1"]


def test_health_tells_of_an_endpoint_that_failed(ada: Api, provider: NewModel) -> None:
    embedded(ada, 1)
    provider.is_down = True
    assert search(ada)["degraded"] is True
    check = ada.get("/api/health").json["checks"]["embeddings"]
    assert (check["status"], check["detail"]) == ("degraded", "The endpoint is down.")
