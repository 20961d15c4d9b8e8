"""PATCH /bookmarks/{id}: what is named changes, the rest stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
START = {
    "title": "Old",
    "description": "old words",
    "notes": "old notes",
    "tags": ["old", "both"],
    "is_read": True,
    "is_favorite": False,
    "is_archived": False,
}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "New"},
        {"title": ""},
        {"description": "new words"},
        {"description": ""},
        {"notes": "new notes"},
        {"notes": ""},
        {"tags": ["both", "new", "Another"]},
        {"tags": []},
        {"is_read": False},
        {"is_favorite": True},
        {"is_archived": True},
        {"url": "https://example.com/b"},
        {"project_ids": []},
        {"title": "New", "tags": ["new"], "is_read": False, "url": "https://example.com/b"},
        {},
    ],
)
def test_only_what_is_named_changes(ada: Api, change: dict[str, Any]) -> None:
    saved = ada.save("https://example.org/a", **START)
    other = ada.save("https://example.org/other", **START)
    response = ada.patch(f"/bookmarks/{saved['id']}", change)
    assert response.status_code == 200
    pending = {"status": "pending", "error": None, "captured_at": None, "attempts": 0}
    moved = {"domain": "example.com", "capture": pending} if "url" in change else {}
    assert response.json == {**saved, **change, **moved, "updated_at": response.json["updated_at"]}
    assert response.json["updated_at"] > saved["updated_at"]
    assert ada.get(f"/bookmarks/{saved['id']}").json == response.json
    assert ada.get(f"/bookmarks/{other['id']}").json == other


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(name, None) for name in (*START, "url", "project_ids")],
        ("url", "ftp://example.org/"),
        ("url", 5),
        ("title", 5),
        ("title", "x" * 2_001),
        ("description", "x" * 50_001),
        ("notes", "x" * 200_001),
        ("tags", "old"),
        ("tags.1", ["a", ""]),
        ("tags.0", ["x" * 101]),
        ("is_read", 1),
        ("is_archived", "any"),
        ("project_ids.0", [0]),
        ("project_ids", [1]),
        ("created_at", "2999-01-01T00:00:00Z"),
        ("capture", True),
        ("id", 1),
        ("deleted_at", None),
    ],
)
def test_a_bad_change_is_422_named_by_the_field_alone(ada: Api, field: str, value: object) -> None:
    saved = ada.save("https://example.org/a", **START)
    response = ada.patch(f"/bookmarks/{saved['id']}", {field.partition(".")[0]: value})
    assert set(field_errors(response)) == {f"body.{field}"}
    assert "0x" not in response.get_data(as_text=True)
    assert ada.get(f"/bookmarks/{saved['id']}").json == saved


def test_the_url_of_another_bookmark_is_409_with_its_id(ada: Api) -> None:
    one, other = ada.save("https://example.org/1"), ada.save("https://example.org/2")
    refused = ada.patch(f"/bookmarks/{one['id']}", {"url": "http://www.example.org/2/?utm_source=x", "title": "New"})
    assert refused.status_code == 409
    assert refused.json["existing_id"] == other["id"]
    assert ada.get(f"/bookmarks/{one['id']}").json == one


def test_another_spelling_of_the_own_url_is_no_conflict(ada: Api) -> None:
    saved = ada.save("https://example.org/1")
    changed = ada.patch(f"/bookmarks/{saved['id']}", {"url": "http://www.example.org/1/"})
    assert changed.status_code == 200
    assert changed.json["url"] == "http://www.example.org/1/"


def test_the_url_of_a_bookmark_in_the_trash_is_free(ada: Api) -> None:
    one, other = ada.save("https://example.org/1"), ada.save("https://example.org/2")
    ada.delete(f"/bookmarks/{other['id']}")
    assert ada.patch(f"/bookmarks/{one['id']}", {"url": "https://example.org/2"}).status_code == 200


def test_a_new_url_is_looked_up_and_the_old_one_is_free(ada: Api) -> None:
    saved = ada.save("https://example.org/old")
    ada.patch(f"/bookmarks/{saved['id']}", {"url": "https://example.org/new"})
    assert ada.get("/bookmarks/lookup", url="https://example.org/new").json["id"] == saved["id"]
    assert ada.get("/bookmarks/lookup", url="https://example.org/old").status_code == 404
    ada.save("https://example.org/old")


def test_what_is_not_there_is_404_even_with_a_url_that_is_taken(ada: Api, bob: Api) -> None:
    """R-AUTH 4."""
    ada.save("https://example.org/taken")
    foreign = bob.save("https://example.org/bobs")
    gone = ada.save("https://example.org/gone")
    ada.delete(f"/bookmarks/{gone['id']}")
    for bookmark_id in (foreign["id"], gone["id"], 999_999):
        change = {"url": "https://example.org/taken", "tags": ["x"]}
        assert ada.patch(f"/bookmarks/{bookmark_id}", change).status_code == 404
    assert bob.get(f"/bookmarks/{foreign['id']}").json == foreign
    assert ada.get("/tags").json["items"] == []


def test_tags_that_exist_keep_their_spelling_and_none_comes_twice(ada: Api) -> None:
    ada.save("https://example.org/1", tags=["Python"])
    saved = ada.save("https://example.org/2")
    changed = ada.patch(f"/bookmarks/{saved['id']}", {"tags": ["PYTHON", "b", "python", "B", " a "]})
    assert changed.json["tags"] == ["Python", "b", "a"]


def test_a_change_is_found_at_once_and_what_it_replaced_no_more(ada: Api) -> None:
    saved = ada.save("https://example.org/1", title="walrus", tags=["seal"], notes="otter", description="beaver")
    ada.patch(f"/bookmarks/{saved['id']}", {"title": "lynx", "tags": ["puma"], "notes": "tiger", "description": "lion"})
    assert [ada.get("/bookmarks", q=word).json["total"] for word in ("walrus", "seal", "otter", "beaver")] == [0] * 4
    assert [ada.get("/bookmarks", q=word).json["total"] for word in ("lynx", "puma", "tiger", "lion")] == [1] * 4


def test_a_new_title_takes_its_new_place_in_the_order(ada: Api) -> None:
    saved = [ada.save(f"https://example.org/{title}", title=title) for title in "abc"]
    ada.patch(f"/bookmarks/{saved[0]['id']}", {"title": "Z"})
    assert ada.titles(sort="title") == ["b", "c", "Z"]
    assert ada.titles(sort="-updated_at")[0] == "Z"
