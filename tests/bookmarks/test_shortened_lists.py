"""Lists and searches show the beginning of long texts, and say so; what is read alone is whole."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from backend.http.truncation import SHOWN_CHARACTERS
from tests.support.api import Api
from tests.support.pages import add_vector
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
LONG = "A long text with zebras. " * 2_000
LISTS = ["/bookmarks", "/bookmarks?q=zebras", "/search?q=zebras&mode=text", "/recommendations?text=zebras"]


def items(api: Api, path: str) -> list[dict[str, Any]]:
    response = api.request("GET", path)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [item.get("bookmark", item) for item in response.json["items"]]


@pytest.mark.parametrize("path", [*LISTS, "/projects/{project}/bookmarks"])
def test_lists_show_the_beginning_of_long_texts_and_say_of_which(ada: Api, path: str) -> None:
    project = ada.post("/projects", {"name": "P"}).json["id"]
    saved = ada.save("https://example.org/a", title="zebras", description=LONG, notes=LONG * 4, project_ids=[project])
    assert saved["truncated"] == []
    assert [len(saved["description"]), len(saved["notes"])] == [50_000, 200_000]
    [shown] = items(ada, path.format(project=project))
    assert shown["truncated"] == ["description", "notes"]
    assert shown["description"] == LONG[:SHOWN_CHARACTERS]
    assert shown["notes"] == LONG[:SHOWN_CHARACTERS]
    assert {**saved, "description": "", "notes": "", "truncated": []} == {
        name: value
        for name, value in {**shown, "description": "", "notes": "", "truncated": []}.items()
        if name in saved
    }


@pytest.mark.parametrize("path", LISTS)
def test_after_a_list_a_bookmark_alone_is_still_whole(ada: Api, path: str) -> None:
    saved = ada.save("https://example.org/a", title="zebras", notes=LONG)
    short = ada.save("https://example.org/b", title="zebras too", notes="short")
    for _ in range(2):
        assert len(items(ada, path)) == 2
        for one in (saved, short):
            assert ada.get(f"/bookmarks/{one['id']}").json == one
            assert ada.get("/bookmarks/lookup", url=one["url"]).json == one


def test_short_items_of_a_list_still_answer_for_themselves(ada: Api, app: Flask, sql: SqlCounter) -> None:
    long = ada.save("https://example.org/a", notes=LONG)
    short = ada.save("https://example.org/b", notes="b" * SHOWN_CHARACTERS)
    app.extensions["resilient_redis"].client.flushall()
    ada.get("/profile")
    shown = {item["id"]: item for item in items(ada, "/bookmarks")}
    assert shown[short["id"]] == short
    with sql.at_most(0):
        assert ada.get(f"/bookmarks/{short['id']}").json == short
    with sql.at_most(1):
        assert ada.get(f"/bookmarks/{long['id']}").json == long


def test_a_list_of_a_hundred_long_bookmarks_is_small_and_is_not_read_in_full(ada: Api, sql: SqlCounter) -> None:
    drafts = [
        {
            "url": f"https://example.org/{n}",
            "title": f"zebra {n}",
            "description": LONG[:50_000],
            "notes": LONG,
            "capture": False,
        }
        for n in range(100)
    ]
    for at in range(0, 100, 10):
        assert ada.post("/bookmarks/bulk", {"items": drafts[at : at + 10]}).json["created"] == 10
    for path in ("/bookmarks?page_size=100", "/search?q=zebra&mode=text&page_size=100"):
        sql.clear()
        response = ada.request("GET", path)
        assert len(response.json["items"]) == 100
        assert len(response.data) < 2_000_000
        assert all(item.get("bookmark", item)["truncated"] for item in response.json["items"])
        assert all("left(bookmarks.notes" in one for one in sql.statements if "bookmarks.notes" in one)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 2_000, 2_000),
        ("a" * 2_001, 2_000),
        ("a" * 1_999 + "e\u0301" + "a", 1_999),
        ("a" * 1_998 + "\U0001f469\u200d\U0001f469 and", 1_998),
        ("a" * 1_999 + "\U0001f44d\U0001f3fd", 1_999),
        ("e" + "\u0301" * 3_000, 2_000),
        ("\U0001f600" * 2_001, 2_000),
        ("日" * 2_001, 2_000),
    ],
)
def test_no_character_is_parted_from_its_marks(ada: Api, text: str, shown: int) -> None:
    ada.save("https://example.org/a", notes=text)
    [item] = items(ada, "/bookmarks")
    assert item["notes"] == text[:shown]
    assert item["truncated"] == (["notes"] if shown < len(text) else [])


def test_similar_bookmarks_are_shortened_too(ada: Api, context: Flask) -> None:
    saved = [ada.save(f"https://example.org/{number}", notes=LONG)["id"] for number in range(2)]
    for id_ in saved:
        add_vector(id_, [1, 0, 0])
    [shown] = items(ada, f"/bookmarks/{saved[0]}/similar")
    assert (shown["truncated"], shown["notes"]) == (["notes"], LONG[:SHOWN_CHARACTERS])


@pytest.mark.parametrize("path", ["/projects", "/tasks"])
def test_projects_and_tasks_are_shortened_in_lists_and_whole_alone(ada: Api, path: str) -> None:
    name = "name" if path == "/projects" else "title"
    made = ada.post(path, {name: "P", "description": "d" * 10_000})
    assert made.status_code == 201, made.get_data(as_text=True)
    one = ada.get(f"{path}/{made.json['id']}").json
    [shown] = items(ada, path)
    assert one["description"] == made.json["description"] == "d" * 10_000
    assert one["truncated"] == []
    assert shown["description"] == "d" * 2_000
    assert shown["truncated"] == ["description"]
