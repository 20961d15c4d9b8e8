"""An export of one account, imported by the worker's job into another, is the same account again."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from tests.support.api import Api
from tests.support.factories import make_person
from tests.transfer.accounts import comparable, export_json
from tests.transfer.conftest import assert_adds_up, run, send_file
from tests.transfer.test_account import BOOKMARK, PROJECT, PROPERTY, TASK, TEXT, fill

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
HARD = {
    "title": 'He said "no", <b>then</b> — 🚀\u00a0',
    "description": "=SUM(A1)\nand, more",
    "notes": "line one\nline two\r\n\tthree <!-- & -->",
    "tags": ['7" vinyl', "a, b", "<b>", "🚀", "to read", "linkding:bookmarks.archived"],
    "created_at": "2019-05-04T03:02:01Z",
}
FIELDS = ("url", "title", "description", "notes", "tags", "is_read", "is_favorite", "is_archived", "created_at")


def carried_over(before: Api, after: Api, file_format: str) -> dict[str, Any]:
    """Export, import, and tell the result of the job."""
    document = before.get("/bookmarks/export", format=file_format).get_data()
    asked = send_file(after, document, capture="false")
    assert asked.status_code == 202, asked.get_data(as_text=True)
    job = run(after, asked.json["id"])
    assert job["status"] == "succeeded", job
    result: dict[str, Any] = job["result"]
    assert_adds_up(result)
    assert result["failures"] == []
    return result


def listed(person: Api) -> list[dict[str, Any]]:
    items = person.get("/bookmarks", is_archived="any", page_size=100).json["items"]
    return sorted(({name: item[name] for name in FIELDS} for item in items), key=lambda item: item["url"])


@pytest.mark.parametrize("file_format", ["html", "csv", "json"])
def test_hard_texts_survive_each_format(app: Flask, file_format: str) -> None:
    before, after = make_person(app), make_person(app)
    for at, marks in enumerate([{}, {"is_read": True}, {"is_favorite": True}, {"is_archived": True}]):
        before.save(f"https://example.org/{at}?a=1&b='\"", capture=False, **{**HARD, **marks})
    before.save("https://example.org/bare", capture=False, created_at="2020-01-01T00:00:00Z")
    result = carried_over(before, after, file_format)
    assert (result["format"], result["created"]) == (f"fuze_{file_format}".replace("fuze_json", "fuze"), 5)
    assert listed(after) == listed(before)


@PROPERTY
@given(st.lists(BOOKMARK, max_size=4), st.lists(PROJECT, max_size=3), st.lists(TASK, max_size=6), TEXT)
def test_any_account_comes_back_through_the_job(
    app: Flask, bookmarks: list[Any], projects: list[Any], tasks: list[Any], note: str
) -> None:
    before, after = make_person(app), make_person(app)
    fill(before, bookmarks, projects, tasks, note)
    document = export_json(before)
    result = carried_over(before, after, "json")
    assert "left_out" not in result
    assert comparable(orjson.loads(export_json(after))) == comparable(orjson.loads(document))
