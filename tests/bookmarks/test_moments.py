"""Dates wherever a time is taken, when a bookmark was saved, and tags that nothing carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def save_days(api: Api) -> None:
    for day, time in (("05", "23:59:59"), ("06", "00:00:00"), ("06", "12:00:00"), ("07", "00:00:00")):
        moment = f"2024-02-{day}T{time}Z"
        api.save(f"https://example.org/{day}/{time}", title=moment, created_at=moment)


@pytest.mark.parametrize(
    "query",
    [
        {"created_after": "2024-02-06"},
        {"created_before": "2024-02-06"},
        {"created_after": "2024-02-05", "created_before": "2024-02-07"},
    ],
)
def test_a_date_alone_is_midnight_in_utc(ada: Api, query: dict[str, str]) -> None:
    save_days(ada)
    spelled = {name: f"{day}T00:00:00Z" for name, day in query.items()}
    expected = ada.titles(**spelled)
    assert 0 < len(expected) < 4
    assert ada.titles(**query) == expected
    found = ada.get("/search", q="is:unread", **query).json["items"]
    assert sorted(item["bookmark"]["title"] for item in found) == sorted(expected)
    action = {"filter": query, "action": "read"}
    assert ada.post("/bookmarks/actions", action).json == {"affected": len(expected)}


@pytest.mark.parametrize("value", ["2024-02-30", "2024-2-6", "20240206", "0999-01-01", "2024-02-06 ", "yesterday"])
def test_what_is_no_date_is_422(ada: Api, value: str) -> None:
    assert set(field_errors(ada.get("/bookmarks", created_after=value))) == {"query.created_after"}
    body = {"url": "https://example.org/", "created_at": value}
    assert set(field_errors(ada.post("/bookmarks", body))) == {"body.created_at"}


def test_a_task_that_is_due_on_a_day_is_due_at_its_end(ada: Api) -> None:
    task = ada.post("/tasks", {"title": "Pay", "due_at": "2026-01-31"}).json
    assert task["due_at"] == "2026-01-31T23:59:59Z"
    assert ada.patch(f"/tasks/{task['id']}", {"due_at": "2026-02-01"}).json["due_at"] == "2026-02-01T23:59:59Z"
    assert ada.get("/tasks", due_after="2026-02-01", due_before="2026-02-02").json["total"] == 1
    assert ada.get("/tasks", due_before="2026-02-01").json["total"] == 0


def test_a_token_may_expire_on_a_day(ada: Api) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    made = ada.post("/auth/tokens", {"name": "t", "scopes": ["bookmarks:read"], "expires_at": str(day)})
    assert (made.status_code, made.json["expires_at"]) == (201, f"{day}T00:00:00Z")


def ahead(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


def test_when_a_bookmark_was_saved_can_be_mended(ada: Api) -> None:
    first = ada.save("https://example.org/1", title="first", created_at="2020-01-01")
    second = ada.save("https://example.org/2", title="second", created_at="2021-01-01T12:00:00+02:00")
    assert (first["created_at"], second["created_at"]) == ("2020-01-01T00:00:00Z", "2021-01-01T10:00:00Z")
    assert ada.titles() == ["second", "first"]
    changed = ada.patch(f"/bookmarks/{first['id']}", {"created_at": "2022-06-01"})
    assert (changed.status_code, changed.json["created_at"]) == (200, "2022-06-01T00:00:00Z")
    assert changed.json["updated_at"] > first["updated_at"]
    assert ada.titles() == ["first", "second"]
    assert ada.titles(created_after="2022-01-01") == ada.titles(q="after:2022-06-01") == ["first"]
    assert ada.get(f"/bookmarks/{first['id']}").json["created_at"] == "2022-06-01T00:00:00Z"
    assert ada.patch(f"/bookmarks/{first['id']}", {"created_at": ahead(hours=23)}).status_code == 200


@pytest.mark.parametrize(
    "value", ["2999-01-01", "2999-01-01T00:00:00Z", ahead(hours=48)], ids=["day", "time", "two days"]
)
def test_nothing_is_saved_more_than_a_day_ahead(ada: Api, value: str) -> None:
    saved = ada.save("https://example.org/1")
    body: dict[str, Any] = {"url": "https://example.org/2", "created_at": value}
    assert set(field_errors(ada.post("/bookmarks", body))) == {"body.created_at"}
    assert set(field_errors(ada.patch(f"/bookmarks/{saved['id']}", {"created_at": value}))) == {"body.created_at"}
    bulk = ada.post("/bookmarks/bulk", {"items": [body, {"url": "https://example.org/3"}]}).json
    assert (bulk["created"], bulk["invalid"]) == (1, 1)
    assert "day ahead" in bulk["results"][0]["error"]
    assert set(field_errors(ada.patch(f"/bookmarks/{saved['id']}", {"created_at": None}))) == {"body.created_at"}


def test_tags_that_nothing_carries_are_listed_and_removed_in_one_call(ada: Api, bob: Api) -> None:
    bob.patch(f"/bookmarks/{bob.save('https://example.org/', tags=['unused'])['id']}", {"tags": []})
    saved = ada.save("https://example.org/1", tags=["carried", "left", "last"])
    trashed = ada.save("https://example.org/2", tags=["in the trash"])
    ada.delete(f"/bookmarks/{trashed['id']}")
    ada.patch(f"/bookmarks/{saved['id']}", {"tags": ["carried"]})

    def names(**query: Any) -> list[str]:
        return [item["name"] for item in ada.get("/tags", **query).json["items"]]

    assert names(unused="true") == ["last", "left"]
    assert names(unused="true", q="le") == ["left"]
    assert names(unused="false") == ["carried", "in the trash"]
    assert ada.get("/tags", unused="true").json["total"] == 2
    deleted = ada.delete("/tags", unused="true")
    assert (deleted.status_code, deleted.json) == (200, {"deleted": 2})
    assert names() == ["carried", "in the trash"]
    assert ada.delete("/tags", unused="true").json == {"deleted": 0}
    # What comes back from the trash has its tags, and another organization's are its own.
    assert ada.post(f"/bookmarks/{trashed['id']}/restore").json["tags"] == ["in the trash"]
    assert bob.get("/tags", unused="true").json["total"] == 1


@pytest.mark.parametrize("query", [{}, {"unused": "false"}, {"unused": "yes"}, {"unused": "true", "q": "x"}])
def test_tags_are_never_all_deleted_by_mistake(ada: Api, query: dict[str, str]) -> None:
    ada.patch(f"/bookmarks/{ada.save('https://example.org/', tags=['unused'])['id']}", {"tags": []})
    assert ada.delete("/tags", **query).status_code == 422
    assert ada.get("/tags").json["total"] == 1
