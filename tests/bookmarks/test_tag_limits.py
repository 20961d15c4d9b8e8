"""R-TRUST 5: at most a hundred tags on a bookmark, whatever the way they come, and a bounded number in all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db]
LINK = "https://example.org/a"
Way = Callable[[Api, int, list[str]], TestResponse]


def names(first: int, count: int) -> list[str]:
    return [f"tag {number}" for number in range(first, first + count)]


WAYS: dict[str, Way] = {
    "merge": lambda api, _, tags: api.post("/bookmarks", {"url": LINK, "capture": False, "tags": tags}),
    "action by id": lambda api, id_, tags: api.post(
        "/bookmarks/actions", {"ids": [id_], "action": "add_tags", "tags": tags}
    ),
    "action by filter": lambda api, _, tags: api.post(
        "/bookmarks/actions", {"filter": {}, "action": "add_tags", "tags": tags}
    ),
    "patch": lambda api, id_, tags: api.patch(f"/bookmarks/{id_}", {"tags": [*names(0, 60), *tags]}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_bookmark_has_at_most_a_hundred_tags_and_keeps_those_that_it_has(ada: Api, way: Way) -> None:
    saved = ada.save(LINK, tags=names(0, 60))
    other = ada.save("https://example.org/b")
    refused = way(ada, saved["id"], names(60, 41))
    assert list(field_errors(refused)) == ["body.tags"]
    assert ada.get(f"/bookmarks/{saved['id']}").json["tags"] == names(0, 60)
    assert ada.get(f"/bookmarks/{other['id']}").json["tags"] == []
    assert ada.get("/tags").json["total"] == 60
    assert way(ada, saved["id"], names(60, 40)).status_code == 200
    assert len(ada.get(f"/bookmarks/{saved['id']}").json["tags"]) == 100
    # What it has already needs no room.
    assert way(ada, saved["id"], names(60, 1)).status_code == 200


def test_merging_again_and_again_ends_at_a_hundred_and_no_step_fails(ada: Api) -> None:
    saved = ada.save(LINK)
    statuses = [
        ada.post("/bookmarks", {"url": LINK, "capture": False, "tags": names(at, 100)}).status_code
        for at in range(0, 500, 100)
    ]
    assert statuses == [200, 422, 422, 422, 422]
    assert ada.get(f"/bookmarks/{saved['id']}").json["tags"] == names(0, 100)


def test_in_a_bulk_only_the_items_with_too_many_tags_are_invalid(ada: Api) -> None:
    ada.save(LINK, tags=names(0, 60))
    items = [
        {"url": LINK, "tags": names(60, 60)},
        {"url": "https://example.org/b", "tags": names(0, 60)},
        {"url": "https://example.org/b", "tags": names(60, 60)},
        {"url": "https://example.org/b", "tags": names(60, 40)},
        {"url": "https://example.org/c", "tags": names(0, 101)},
        {"url": "https://example.org/d", "tags": names(0, 100)},
        {"url": "https://example.org/e"},
    ]
    answer = ada.post("/bookmarks/bulk", {"items": [{**item, "capture": False} for item in items]}).json
    statuses = [one["status"] for one in answer["results"]]
    assert statuses == ["invalid", "created", "invalid", "duplicate", "invalid", "created", "created"]
    assert answer["invalid"] == 3
    assert "100 tags" in answer["results"][0]["error"]
    carried = {item["url"][-1]: len(item["tags"]) for item in ada.get("/bookmarks").json["items"]}
    assert carried == {"a": 60, "b": 100, "d": 100, "e": 0}


def test_merging_two_tags_needs_no_room(ada: Api) -> None:
    saved = ada.save(LINK, tags=names(0, 100))
    tags = {tag["name"]: tag["id"] for tag in ada.get("/tags", page_size=100).json["items"]}
    other = ada.save("https://example.org/b", tags=["other"])
    into = next(tag["id"] for tag in ada.get("/tags", q="other").json["items"])
    assert ada.post(f"/tags/{tags['tag 7']}/merge", {"into_id": into}).status_code == 200
    assert len(ada.get(f"/bookmarks/{saved['id']}").json["tags"]) == 100
    assert ada.get(f"/bookmarks/{other['id']}").json["tags"] == ["other"]


def test_two_who_add_tags_at_once_do_not_fill_it_beyond(ada: Api) -> None:
    saved = ada.save(LINK, tags=names(0, 60))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda at: WAYS["merge"](ada, 0, names(at, 30)).status_code, range(100, 500, 100)))
    assert sorted(answers) == [200, 422, 422, 422]
    assert len(ada.get(f"/bookmarks/{saved['id']}").json["tags"]) == 90


def test_a_bookmark_of_before_with_thousands_of_tags_can_still_be_changed(ada: Api, context: Flask) -> None:
    saved = ada.save(LINK, tags=["first"])
    db.session.execute(
        text("""
            WITH made AS (
                INSERT INTO tags (organization_id, name, name_key)
                SELECT :organization, repeat('x', 90) || n, repeat('x', 90) || n FROM generate_series(1, 9000) n
                RETURNING id)
            INSERT INTO bookmark_tags (bookmark_id, tag_id, position) SELECT :id, id, 1 FROM made
        """),
        {"organization": ada.organization_id, "id": saved["id"]},
    )
    db.session.commit()
    assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "new"}).status_code == 200
    assert field_errors(WAYS["merge"](ada, 0, ["one more"])) == {"body.tags": "too_many_tags"}
    assert ada.patch(f"/bookmarks/{saved['id']}", {"tags": ["one"]}).json["tags"] == ["one"]


def test_an_organization_has_room_for_so_many_tags(
    ada: Api, bob: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.extensions["settings"], "MAX_TAGS_PER_ORGANIZATION", 5)
    saved = ada.save(LINK, tags=names(0, 4))
    assert ada.patch(f"/bookmarks/{saved['id']}", {"tags": names(4, 2)}).status_code == 422
    for refused in (
        ada.post("/bookmarks", {"url": "https://example.org/b", "tags": names(0, 6)}),
        ada.post("/bookmarks/actions", {"ids": [saved["id"]], "action": "add_tags", "tags": names(4, 2)}),
    ):
        assert field_errors(refused) == {"body.tags": "too_many_tags"}
    assert ada.get("/tags").json["total"] == 4
    items = [{"url": f"https://example.org/{n}", "tags": names(n, 2), "capture": False} for n in range(2, 6)]
    results = ada.post("/bookmarks/bulk", {"items": items}).json["results"]
    # Together they need two tags more than there is room for.
    assert [one["status"] for one in results] == ["created", "invalid", "invalid", "invalid"]
    assert ada.save("https://example.org/last", tags=names(3, 2))["tags"] == names(3, 2)
    assert bob.save(LINK, tags=names(0, 5))["tags"] == names(0, 5)


def test_the_limits_take_no_statement_of_their_own(ada: Api, sql: SqlCounter) -> None:
    ada.save(LINK, tags=names(0, 3))
    sql.clear()
    ada.post("/bookmarks", {"url": LINK, "capture": False, "tags": names(3, 3)})
    assert sum("bookmark_tags" in one and "INSERT" in one for one in sql.statements) == 1
    assert not [one for one in sql.statements if one.lstrip().startswith("SELECT count") and "tags" in one]
