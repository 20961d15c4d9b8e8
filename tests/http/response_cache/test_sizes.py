"""Long responses are not cached: a few of them would push out what many ask for."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.http.response_cache.store import LONGEST_CACHED
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def longest_value(app: Flask) -> int:
    client = app.extensions["resilient_redis"].client
    return max(client.strlen(key) for key in client.scan_iter("*response:*"))


def test_a_bookmark_that_is_too_long_is_read_each_time(ada: Api, app: Flask, sql: SqlCounter) -> None:
    # Three bytes a character, twice: below and above the bound.
    short = ada.save("https://example.org/a", notes="日" * 80_000)
    long = ada.save("https://example.org/b", notes="日" * 90_000)
    for one, statements in ((short, 0), (long, 1)):
        path = f"/bookmarks/{one['id']}"
        assert ada.get(path).json == ada.get(path).json == one
        sql.clear()
        assert ada.get(path).json == one
        assert len(sql.statements) == statements
    assert ada.patch(f"/bookmarks/{long['id']}", {"title": "new"}).json["title"] == "new"
    assert ada.get(f"/bookmarks/{long['id']}").json["title"] == "new"
    assert longest_value(app) < LONGEST_CACHED + 100


def test_a_list_that_is_too_long_is_made_each_time_and_keeps_nobody_waiting(
    ada: Api, app: Flask, sql: SqlCounter
) -> None:
    items = [
        {"url": f"https://example.org/{n}", "title": "t" * 2_000, "notes": "n" * 2_000, "capture": False}
        for n in range(100)
    ]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 100
    for _ in range(2):
        sql.clear()
        response = ada.get("/bookmarks", page_size=100)
        assert len(response.data) > LONGEST_CACHED
        assert len(sql.statements) == 1
    client = app.extensions["resilient_redis"].client
    assert not list(client.scan_iter("*making:*"))
    assert longest_value(app) < LONGEST_CACHED + 100
