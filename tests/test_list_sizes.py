"""R-TRUST 5: no list is larger than 2 MB, whatever the texts in it; what is cut is named, and a single GET is whole."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from werkzeug.routing import Rule

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.http.operations import declared_operation
from backend.jobs.models import Job
from backend.projects.models import Project, ProjectBookmark
from backend.tasks.models import Task
from tests.support.api import Api
from tests.support.pages import add_vector

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
LARGEST = 2_000_000
QUERIES: dict[str, dict[str, Any]] = {
    "/api/v1/search": {"q": "x", "mode": "text", "page_size": 100},
    "/api/v1/search/suggest": {"q": "x"},
    "/api/v1/recommendations": {"text": "x", "limit": 50},
    "/api/v1/bookmarks/<id:bookmark_id>/similar": {"limit": 50},
}
# What takes most room: a control character takes six bytes in JSON, a mark around a word thirteen more.
HARD = ["\x01", "\U0001f600", "x\x01", "'"]


def hard(piece: str, length: int) -> str:
    return (piece * length)[:length]


@pytest.fixture
def filled(ada: Api, context: Flask, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A hundred of each thing that can be listed, every text of the longest and of this piece; ids for the paths."""
    piece: str = request.param
    items = [{"url": f"https://example.org/{number}", "title": "x", "capture": False} for number in range(100)]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 100
    projects = [ada.post("/projects", {"name": f"x {number}"}).json["id"] for number in range(100)]
    for number in range(100):
        assert ada.post("/tasks", {"title": f"x {number}", "project_id": projects[0]}).status_code == 201
    tags = [hard(piece, 97) + f"{number:03}" for number in range(100)]
    every = {"filter": {"is_archived": "any"}}
    assert ada.post("/bookmarks/actions", {**every, "action": "add_tags", "tags": tags}).json["affected"] == 100
    attach = {**every, "action": "add_to_project", "project_id": projects[0]}
    assert ada.post("/bookmarks/actions", attach).json["affected"] == 100
    for bookmark_id in db.session.scalars(select(Bookmark.id)).all()[:60]:
        add_vector(bookmark_id, [1, 0, 0])
    address = "https://example.org/" + hard("\U0001f600", 2_000)
    texts = {"title": hard(piece, 2_000), "description": hard(piece, 9_000), "notes": hard(piece, 9_000)}
    db.session.execute(update(Bookmark).values(**texts, url=address, image_url=address))
    db.session.execute(update(ProjectBookmark).values(note=hard(piece, 9_000)))
    technologies = [hard(piece, 97) + f"{number:03}" for number in range(50)]
    db.session.execute(update(Project).values(description=hard(piece, 9_000), technologies=technologies))
    db.session.execute(update(Task).values(title=hard(piece, 500), description=hard(piece, 9_000)))
    result = {"subtasks": [{"title": "x", "description": hard(piece, 9_000)}]}
    job = {"organization_id": ada.organization_id, "user_id": ada.user_id, "kind": "breakdown", "result": result}
    db.session.execute(insert(Job), [job] * 100)
    db.session.commit()
    return {
        "project_id": projects[0],
        "bookmark_id": db.session.scalar(select(func.min(Bookmark.id))),
        "organization_id": ada.organization_id,
    }


def lists(app: Flask) -> list[Rule]:
    """The rules of all routes that answer with items."""
    found = []
    for rule in app.url_map.iter_rules():
        declared = declared_operation(app, rule.endpoint)
        model = declared.responses.get(200) if declared and "GET" in (rule.methods or ()) else None
        if model is not None and "items" in model.model_fields:
            found.append(rule)
    return found


@pytest.mark.parametrize("filled", HARD, indirect=True, ids=[ascii(piece) for piece in HARD])
def test_no_list_is_larger_than_two_megabytes(ada: Api, app: Flask, filled: dict[str, Any]) -> None:
    numbers = {}
    for rule in lists(app):
        if rule.arguments - filled.keys():
            continue
        query = QUERIES.get(rule.rule, {"page_size": 100})
        path = app.url_map.bind("").build(rule.endpoint, {name: filled[name] for name in rule.arguments})
        response = ada.request("GET", path.removeprefix("/api/v1"), query_string=query)
        if response.status_code == 403:
            continue
        assert response.status_code == 200, (rule.rule, response.get_data(as_text=True)[:500])
        assert len(response.data) <= LARGEST, rule.rule
        numbers[rule.rule.removeprefix("/api/v1")] = len(response.json["items"])
    for route in ("/bookmarks", "/search", "/projects/<id:project_id>/bookmarks", "/projects", "/tasks", "/jobs"):
        assert numbers.get(route) == 100, (route, numbers)


@pytest.mark.parametrize("filled", ["\x01"], indirect=True)
def test_what_is_cut_is_named_and_whole_alone(ada: Api, filled: dict[str, Any]) -> None:
    project, bookmark = filled["project_id"], filled["bookmark_id"]
    for path in ("/bookmarks", f"/projects/{project}/bookmarks"):
        shown = next(one for one in ada.get(path, page_size=100).json["items"] if one["id"] == bookmark)
        whole = ada.get(f"/bookmarks/{bookmark}").json
        assert {"description", "notes", "tags"} <= set(shown["truncated"])
        assert ("note" in shown["truncated"]) == ("note" in shown)
        assert whole["truncated"] == []
        for name, value in whole.items():
            if name not in (*shown["truncated"], "truncated"):
                assert shown[name] == value
            elif name in shown["truncated"] and isinstance(value, str | list) and name != "image_url":
                assert shown[name] == value[: len(shown[name])]
    alone = ada.get("/bookmarks", page_size=1).json["items"][0]
    assert (alone["truncated"], len(alone["notes"]), len(alone["tags"])) == (["description", "notes"], 2_000, 100)


def test_a_long_note_is_shortened_where_bookmarks_are_attached(ada: Api) -> None:
    project = ada.post("/projects", {"name": "P"}).json["id"]
    bookmark = ada.save("https://example.org/a", notes="n" * 3_000)["id"]
    made = ada.put(f"/projects/{project}/bookmarks/{bookmark}", {"note": "n" * 10_000})
    assert (len(made.json["note"]), made.json["truncated"]) == (10_000, [])
    [shown] = ada.get(f"/projects/{project}/bookmarks").json["items"]
    assert (shown["note"], shown["truncated"]) == ("n" * 2_000, ["notes", "note"])


def test_a_large_result_is_in_the_answer_about_its_job_alone(ada: Api, context: Flask) -> None:
    rows = [{"result": {"text": "r" * length}} for length in (10_000, 100_000)] + [{"result": None}]
    mine = {"organization_id": ada.organization_id, "user_id": ada.user_id, "kind": "breakdown"}
    ids = db.session.scalars(insert(Job).returning(Job.id, sort_by_parameter_order=True), [mine | row for row in rows])
    small, large, none = map(str, ids.all())
    db.session.commit()
    shown = {job["id"]: job["result"] for job in ada.get("/jobs").json["items"]}
    assert shown == {small: rows[0]["result"], large: {"truncated": True}, none: None}
    assert ada.get(f"/jobs/{large}").json["result"] == rows[1]["result"]
