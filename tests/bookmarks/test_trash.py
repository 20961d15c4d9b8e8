"""The trash: in, out, and for good."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from backend.bookmarks import trash
from backend.extensions import db
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
URL = "https://example.org/a"


@pytest.fixture
def trashed(ada: Api) -> int:
    """A bookmark in the trash."""
    saved = ada.save(URL, title="Gone", tags=["kept"], notes="words")
    response = ada.delete(f"/bookmarks/{saved['id']}")
    assert (response.status_code, response.data) == (204, b"")
    return int(saved["id"])


def test_what_is_in_the_trash_is_gone_everywhere_but_there(ada: Api, trashed: int) -> None:
    path = f"/bookmarks/{trashed}"
    assert ada.get(path).status_code == 404
    assert ada.get(f"{path}/content").status_code == 404
    assert ada.get(f"{path}/similar").status_code == 404
    assert ada.post(f"{path}/capture").status_code == 404
    assert ada.patch(path, {"title": "New"}).status_code == 404
    assert ada.delete(path).status_code == 404
    assert ada.get("/bookmarks/lookup", url=URL).status_code == 404
    assert ada.titles() == ada.titles(q="words") == ada.titles(tag="kept") == []
    assert ada.get("/search", q="words", mode="text").json["total"] == 0
    assert ada.titles(deleted="true") == ["Gone"]
    assert ada.titles(deleted="true", q="words", tag="kept") == ["Gone"]


def test_restoring_brings_everything_back(ada: Api) -> None:
    saved = ada.save(URL, title="Back", tags=["b", "a"], notes="words", is_archived=True)
    ada.delete(f"/bookmarks/{saved['id']}")
    restored = ada.post(f"/bookmarks/{saved['id']}/restore")
    assert restored.status_code == 200
    assert restored.json == {**saved, "updated_at": restored.json["updated_at"]}
    assert ada.get(f"/bookmarks/{saved['id']}").json == restored.json
    assert ada.titles(q="words", is_archived="any") == ["Back"]
    assert ada.titles(deleted="true") == []


def test_restoring_what_is_not_in_the_trash_changes_nothing(ada: Api) -> None:
    saved = ada.save(URL)
    assert ada.post(f"/bookmarks/{saved['id']}/restore").json == saved


def test_saving_anew_makes_a_new_bookmark(ada: Api, trashed: int) -> None:
    anew = ada.save(URL)
    assert anew["id"] != trashed
    assert anew["tags"] == []


def test_restoring_a_link_that_was_saved_anew_is_409_with_the_new_id(ada: Api, trashed: int) -> None:
    anew = ada.save("http://www.example.org/a#again")
    refused = ada.post(f"/bookmarks/{trashed}/restore")
    assert refused.status_code == 409
    assert refused.json["existing_id"] == anew["id"]
    assert ada.titles(deleted="true") == ["Gone"]
    ada.delete(f"/bookmarks/{anew['id']}")
    assert ada.post(f"/bookmarks/{trashed}/restore").status_code == 200


@pytest.mark.parametrize("first_to_the_trash", [False, True])
def test_permanent_leaves_nothing(ada: Api, context: Flask, first_to_the_trash: bool) -> None:
    """R-DB 3."""
    saved = ada.save(URL, tags=["a", "b"])
    if first_to_the_trash:
        ada.delete(f"/bookmarks/{saved['id']}", permanent="false")
    assert ada.delete(f"/bookmarks/{saved['id']}", permanent="true").status_code == 204
    assert ada.titles(deleted="true") == ada.titles() == []
    assert ada.post(f"/bookmarks/{saved['id']}/restore").status_code == 404
    assert ada.delete(f"/bookmarks/{saved['id']}", permanent="true").status_code == 404
    for table in ("bookmarks", "bookmark_tags", "bookmark_documents"):
        assert db.session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


def test_one_link_can_be_in_the_trash_more_than_once(ada: Api) -> None:
    for title in ("first", "second"):
        saved = ada.save(URL, title=title)
        ada.delete(f"/bookmarks/{saved['id']}")
    assert ada.titles(deleted="true") == ["second", "first"]


def test_a_renamed_tag_is_renamed_in_the_trash_too(ada: Api, trashed: int) -> None:
    tag = ada.get("/tags").json["items"][0]
    assert ada.patch(f"/tags/{tag['id']}", {"name": "renamed"}).json["bookmark_count"] == 0
    assert ada.post(f"/bookmarks/{trashed}/restore").json["tags"] == ["renamed"]
    assert ada.titles(q="renamed") == ["Gone"]


def test_the_trash_is_emptied_at_once(ada: Api, bob: Api, trashed: int) -> None:
    kept = ada.save("https://example.org/kept", title="Kept")
    others = bob.save("https://example.org/others", title="Other")
    bob.delete(f"/bookmarks/{others['id']}")
    response = ada.delete("/bookmarks/trash")
    assert (response.status_code, response.json) == (200, {"deleted": 1})
    assert ada.titles(deleted="true") == []
    assert ada.titles() == [kept["title"]]
    assert ada.post(f"/bookmarks/{trashed}/restore").status_code == 404
    assert bob.titles(deleted="true") == ["Other"]
    assert ada.delete("/bookmarks/trash").json == {"deleted": 0}


def test_a_full_trash_is_emptied_in_batches(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "BATCH", 2)
    ids = [ada.save(f"https://example.org/{number}")["id"] for number in range(5)]
    ada.post("/bookmarks/actions", {"action": "delete", "ids": ids})
    assert ada.delete("/bookmarks/trash").json == {"deleted": 5}
    assert ada.titles(deleted="true") == []
    events = ada.get("/dashboard/activity", type="bookmark.deleted").json["data"]["items"]
    assert sorted(event["data"]["count"] for event in events if event["data"].get("permanent")) == [1, 2, 2]
