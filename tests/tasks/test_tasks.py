"""Tasks: made, read, changed, listed, thrown away and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.tasks.jobs import purge_trash
from tests.support.api import Api, field_errors
from tests.tasks.boards import add, add_many, chain, make_project, order

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
FIELDS = {
    "id", "project_id", "parent_id", "title", "description", "status", "priority", "due_at", "completed_at",
    "position", "subtasks", "created_at", "updated_at", "deleted_at", "truncated",
}  # fmt: skip


def test_a_task_has_the_fields_of_the_contract(ada: Api) -> None:
    made = add(ada, "Write the report")
    assert set(made) == FIELDS
    assert made["description"] == ""
    assert (made["status"], made["priority"]) == ("todo", "normal")
    assert [made[name] for name in ("project_id", "parent_id", "due_at", "completed_at", "deleted_at")] == [None] * 5
    assert made["subtasks"] == {"total": 0, "done": 0}
    assert ada.get(f"/tasks/{made['id']}").json == made
    assert ada.get("/tasks").json["items"] == [made]


def test_what_is_given_comes_back_as_it_went_in(ada: Api) -> None:
    given = {
        "title": "  Ünï\u2028code ✓ ",
        "description": "a\n\tb",
        "status": "blocked",
        "priority": "urgent",
        "due_at": "2030-01-31T12:00:00Z",
        "project_id": make_project(ada),
    }
    made = ada.post("/tasks", given)
    assert made.headers["Location"] == f"/api/v1/tasks/{made.json['id']}"
    assert {name: made.json[name] for name in given} == given


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "body.title", "missing"),
        ({"title": ""}, "body.title", "value_error"),
        ({"title": " \t"}, "body.title", "value_error"),
        ({"title": "x" * 501}, "body.title", "too_long"),
        ({"title": "x", "description": None}, "body.description", "string_type"),
        ({"title": "x", "description": "x" * 50_001}, "body.description", "too_long"),
        ({"title": "x", "status": "finished"}, "body.status", "literal_error"),
        ({"title": "x", "priority": 1}, "body.priority", "literal_error"),
        ({"title": "x", "due_at": "tomorrow"}, "body.due_at", "value_error"),
        ({"title": "x", "project_id": 10**9}, "body.project_id", "unknown_project"),
        ({"title": "x", "parent_id": 10**9}, "body.parent_id", "unknown_task"),
        ({"title": "x", "position": 1}, "body.position", "extra_forbidden"),
    ],
)
def test_what_is_no_task_is_refused(ada: Api, body: dict[str, Any], field: str, code: str) -> None:
    assert field_errors(ada.post("/tasks", body)) == {field: code}
    assert ada.get("/tasks").json["total"] == 0


def test_a_change_leaves_what_it_does_not_name(ada: Api) -> None:
    made = add(ada, "Old", description="kept", due_at="2030-01-01T00:00:00Z", priority="low")
    changed = ada.patch(f"/tasks/{made['id']}", {"title": "New", "due_at": None}).json
    assert changed == {**made, "title": "New", "due_at": None, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    assert ada.titles("/tasks", q="new kept") == ["New"]
    assert ada.titles("/tasks", q="old") == []


@pytest.mark.parametrize("field", ["title", "description", "status", "priority"])
def test_what_a_task_must_have_cannot_be_taken_away(ada: Api, field: str) -> None:
    made = add(ada, "x")
    assert field_errors(ada.patch(f"/tasks/{made['id']}", {field: None})) == {f"body.{field}": "value_error"}


def test_completed_at_says_since_when_it_is_done(ada: Api, context: Flask) -> None:
    path = f"/tasks/{add(ada, 'x')['id']}"
    assert ada.patch(path, {"status": "in_progress"}).json["completed_at"] is None
    done = ada.patch(path, {"status": "done"}).json["completed_at"]
    assert done is not None
    assert ada.patch(path, {"status": "done", "title": "y"}).json["completed_at"] == done
    assert ada.patch(path, {"status": "blocked"}).json["completed_at"] is None
    assert add(ada, "born done", status="done")["completed_at"] is not None


def test_marking_a_task_done_leaves_its_subtasks(ada: Api) -> None:
    parent = add(ada, "parent")
    child = add(ada, "child", parent_id=parent["id"])
    ada.patch(f"/tasks/{parent['id']}", {"status": "done"})
    assert ada.get(f"/tasks/{child['id']}").json["status"] == "todo"


def test_subtasks_are_counted_without_the_trash_and_without_theirs(ada: Api) -> None:
    parent = add(ada, "parent")["id"]
    done, other, gone = add_many(ada, "done", "other", "gone", parent_id=parent)
    add(ada, "below", parent_id=other, status="done")
    ada.patch(f"/tasks/{done}", {"status": "done"})
    ada.delete(f"/tasks/{gone}")
    assert ada.get(f"/tasks/{parent}").json["subtasks"] == {"total": 2, "done": 1}
    listed = {item["id"]: item["subtasks"] for item in ada.get("/tasks").json["items"]}
    assert listed[parent] == {"total": 2, "done": 1}
    assert listed[other] == {"total": 1, "done": 1}


def test_a_project_counts_its_tasks(ada: Api) -> None:
    project, empty = make_project(ada), make_project(ada, "Empty")
    parent = add(ada, "parent", project_id=project)["id"]
    add(ada, "child", parent_id=parent, status="done")
    ada.delete(f"/tasks/{add(ada, 'gone', project_id=project)['id']}")
    assert ada.get(f"/projects/{project}").json["tasks"] == {"total": 2, "done": 1}
    counts = {item["id"]: item["tasks"]["total"] for item in ada.get("/projects").json["items"]}
    assert counts == {project: 2, empty: 0}


def test_a_subtask_is_in_the_project_of_its_parent(ada: Api) -> None:
    project, other = make_project(ada), make_project(ada, "Other")
    parent = add(ada, "parent", project_id=project)["id"]
    assert add(ada, "child", parent_id=parent)["project_id"] == project
    assert add(ada, "child", parent_id=parent, project_id=project)["project_id"] == project
    for wrong in (other, None):
        refused = ada.post("/tasks", {"title": "x", "parent_id": parent, "project_id": wrong})
        assert field_errors(refused) == {"body.project_id": "other_project"}


def test_five_levels_and_no_more(ada: Api) -> None:
    deepest = chain(ada, 5)[-1]
    refused = ada.post("/tasks", {"title": "sixth", "parent_id": deepest})
    assert field_errors(refused) == {"body.parent_id": "too_deep"}


@pytest.mark.parametrize("name", ["project_id", "parent_id"])
def test_what_belongs_to_others_is_unknown(ada: Api, bob: Api, name: str) -> None:
    theirs = {"project_id": make_project(ada), "parent_id": add(ada, "ada's")["id"]}
    mine = add(bob, "bob's")["id"]
    code = {"project_id": "unknown_project", "parent_id": "unknown_task"}[name]
    body = {name: theirs[name]}
    assert field_errors(bob.post("/tasks", {"title": "x", **body})) == {f"body.{name}": code}
    assert field_errors(bob.patch(f"/tasks/{mine}", body)) == {f"body.{name}": code}
    assert field_errors(bob.post(f"/tasks/{mine}/move", body)) == {f"body.{name}": code}
    assert bob.get("/tasks", **body).json["total"] == 0
    for beside in ("before_id", "after_id"):
        refused = bob.post(f"/tasks/{mine}/move", {beside: theirs["parent_id"]})
        assert field_errors(refused) == {f"body.{beside}": "unknown_task"}


@pytest.fixture
def several(ada: Api) -> None:
    """Tasks that differ in all that lists are filtered and sorted by."""
    rows = [
        ("Paint fence", "todo", "low", "2030-01-03"),
        ("Café réservation", "in_progress", "urgent", None),
        ("Buy paint", "blocked", "normal", "2030-01-01"),
        ("Écrire C++", "done", "high", "2030-01-02"),
    ]
    for title, status, priority, due in rows:
        add(ada, title, status=status, priority=priority, due_at=due and f"{due}T00:00:00Z", description=f"about {due}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "todo"}, ["Paint fence"]),
        ({"status": ["todo", "blocked"]}, ["Buy paint", "Paint fence"]),
        ({"priority": "urgent"}, ["Café réservation"]),
        ({"priority": ["low", "high"]}, ["Écrire C++", "Paint fence"]),
        ({"due_before": "2030-01-02T00:00:00Z"}, ["Buy paint"]),
        ({"due_after": "2030-01-01T12:00:00Z"}, ["Écrire C++", "Paint fence"]),
        ({"due_after": "2030-01-01T12:00:00Z", "due_before": "2030-01-02T12:00:00Z"}, ["Écrire C++"]),
        ({"q": "PAINT"}, ["Buy paint", "Paint fence"]),
        ({"q": "pai fen"}, ["Paint fence"]),
        ({"q": "c++"}, ["Écrire C++"]),
        ({"q": "ÉCRIRE"}, ["Écrire C++"]),
        ({"q": "about 2030-01-03"}, ["Paint fence"]),
        ({"q": "%"}, []),
        ({"q": "  "}, ["Écrire C++", "Buy paint", "Café réservation", "Paint fence"]),
        ({"sort": "created_at"}, ["Paint fence", "Café réservation", "Buy paint", "Écrire C++"]),
        ({"sort": "due_at"}, ["Buy paint", "Écrire C++", "Paint fence", "Café réservation"]),
        ({"sort": "-due_at"}, ["Paint fence", "Écrire C++", "Buy paint", "Café réservation"]),
        ({"sort": "priority"}, ["Paint fence", "Buy paint", "Écrire C++", "Café réservation"]),
        ({"sort": "-priority"}, ["Café réservation", "Écrire C++", "Buy paint", "Paint fence"]),
        ({"sort": "position"}, ["Paint fence", "Café réservation", "Buy paint", "Écrire C++"]),
        ({"sort": "-position"}, ["Écrire C++", "Buy paint", "Café réservation", "Paint fence"]),
        ({"sort": "-updated_at"}, ["Écrire C++", "Buy paint", "Café réservation", "Paint fence"]),
    ],
)
def test_lists_are_filtered_and_sorted(ada: Api, several: None, query: dict[str, Any], found: list[str]) -> None:
    assert ada.titles("/tasks", **query) == found


@pytest.mark.parametrize(
    "sort", [f"{sign}{name}" for sign in ("", "-") for name in ("position", "created_at", "due_at", "priority")]
)
def test_pages_by_cursor_show_every_task_once(ada: Api, several: None, sort: str) -> None:
    whole = ada.titles("/tasks", sort=sort)
    seen, query = [], {"page_size": 1, "sort": sort}
    for _ in range(5):
        page = ada.get("/tasks", **query).json
        seen += [item["title"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == whole


def test_a_list_within_something_is_in_its_order_by_default(ada: Api) -> None:
    project = make_project(ada)
    parent = add(ada, "parent", project_id=project)["id"]
    first, second = add_many(ada, "first", "second", parent_id=parent)
    ada.post(f"/tasks/{second}/move", {"before_id": first})
    assert ada.titles("/tasks", parent_id=parent) == ["second", "first"]
    assert ada.titles("/tasks", project_id=project, parent_id="none") == ["parent"]
    assert len(ada.titles("/tasks", project_id=project)) == 3
    add(ada, "free")
    assert ada.titles("/tasks", project_id="none") == ["free"]
    assert ada.titles("/tasks")[0] == "free"


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "title"},
        {"status": "open"},
        {"project_id": "x"},
        {"parent_id": "0"},
        {"due_before": "soon"},
        {"q": "x" * 1001},
    ],
)
def test_what_no_list_knows_is_refused(ada: Api, query: dict[str, str]) -> None:
    [(field, _)] = field_errors(ada.get("/tasks", **query)).items()
    assert field.startswith(f"query.{next(iter(query))}")


def test_the_trash_takes_subtasks_along_and_gives_them_back(ada: Api) -> None:
    top, middle, bottom = chain(ada, 3)
    earlier = add(ada, "earlier", parent_id=top)["id"]
    ada.delete(f"/tasks/{earlier}")
    response = ada.delete(f"/tasks/{top}")
    assert (response.status_code, response.data) == (204, b"")
    for id_ in (top, middle, bottom, earlier):
        assert ada.get(f"/tasks/{id_}").status_code == 404
        assert ada.patch(f"/tasks/{id_}", {"title": "x"}).status_code == 404
        assert ada.post(f"/tasks/{id_}/move").status_code == 404
        assert ada.post(f"/tasks/{id_}/breakdown").status_code == 404
        assert ada.delete(f"/tasks/{id_}").status_code == 404
    assert ada.titles("/tasks") == []
    assert len(ada.titles("/tasks", deleted="true")) == 4
    restored = ada.post(f"/tasks/{top}/restore")
    assert restored.status_code == 200
    assert restored.json["subtasks"] == {"total": 1, "done": 0}
    assert sorted(ada.titles("/tasks")) == ["level 1", "level 2", "level 3"]
    assert ada.titles("/tasks", deleted="true") == ["earlier"]
    assert ada.post(f"/tasks/{top}/restore").json == restored.json


def test_a_subtask_cannot_leave_the_trash_before_its_parent(ada: Api) -> None:
    top, middle = chain(ada, 2)
    ada.delete(f"/tasks/{middle}")
    ada.delete(f"/tasks/{top}")
    assert ada.post(f"/tasks/{middle}/restore").status_code == 409
    ada.post(f"/tasks/{top}/restore")
    assert ada.post(f"/tasks/{middle}/restore").status_code == 200


def test_a_task_comes_back_to_its_place(ada: Api) -> None:
    ids = add_many(ada, "a", "b", "c")
    ada.delete(f"/tasks/{ids[1]}")
    for _ in range(20):
        ada.post(f"/tasks/{ids[2]}/move", {"after_id": ids[0]})
    ada.post(f"/tasks/{ids[1]}/restore")
    assert set(order(ada)) == {"a", "b", "c"}
    assert order(ada)[0] == "a"


@pytest.mark.parametrize("first_to_the_trash", [False, True])
def test_permanent_leaves_nothing(ada: Api, context: Flask, first_to_the_trash: bool) -> None:
    """R-DB 3."""
    top, *_ = chain(ada, 5)
    if first_to_the_trash:
        ada.delete(f"/tasks/{top}")
    assert ada.delete(f"/tasks/{top}", permanent="true").status_code == 204
    assert ada.delete(f"/tasks/{top}", permanent="true").status_code == 404
    assert ada.post(f"/tasks/{top}/restore").status_code == 404
    assert db.session.scalar(text("SELECT count(*) FROM tasks")) == 0


def test_the_trash_is_emptied_after_its_time(ada: Api, context: Flask) -> None:
    old, new, kept = chain(ada, 2)[0], add(ada, "new")["id"], add(ada, "kept")["id"]
    ada.delete(f"/tasks/{old}")
    ada.delete(f"/tasks/{new}")
    db.session.execute(
        text("UPDATE tasks SET deleted_at = now() - interval '31 days' WHERE id <= :old + 1"), {"old": old}
    )
    db.session.commit()
    purge_trash()
    assert set(db.session.scalars(text("SELECT id FROM tasks"))) == {new, kept}


def test_tasks_of_a_project_go_to_the_trash_and_come_back_with_it(ada: Api) -> None:
    project = make_project(ada)
    task = add(ada, "of the project", project_id=project)["id"]
    ada.delete(f"/projects/{project}")
    assert ada.get(f"/tasks/{task}").status_code == 404
    assert (
        ada.titles("/tasks") == ada.titles("/tasks", deleted="true") == ada.titles("/tasks", project_id=project) == []
    )
    assert field_errors(ada.post("/tasks", {"title": "x", "parent_id": task})) == {"body.parent_id": "unknown_task"}
    ada.post(f"/projects/{project}/restore")
    assert ada.titles("/tasks") == ["of the project"]


def test_a_project_that_is_deleted_for_good_takes_its_tasks_along(ada: Api, context: Flask) -> None:
    project = make_project(ada)
    parent = add(ada, "parent", project_id=project)["id"]
    add(ada, "child", parent_id=parent)
    free = add(ada, "free")["id"]
    assert ada.delete(f"/projects/{project}", permanent="true").status_code == 204
    assert list(db.session.scalars(text("SELECT id FROM tasks"))) == [free]


def test_a_task_outlives_who_made_it(ada: Api, context: Flask) -> None:
    add(ada, "x")
    db.session.execute(text("DELETE FROM users"))
    assert db.session.scalar(text("SELECT user_id FROM tasks")) is None
    db.session.execute(text("DELETE FROM organizations"))
    assert db.session.scalar(text("SELECT count(*) FROM tasks")) == 0
    db.session.rollback()


def test_a_deadline_that_is_a_date_ends_with_the_day_of_the_person(ada: Api) -> None:
    assert add(ada, "UTC", due_at="2026-01-31")["due_at"] == "2026-01-31T23:59:59Z"
    assert ada.patch("/profile", {"time_zone": "America/New_York"}).status_code == 200
    made = add(ada, "Winter", due_at="2026-01-31")
    assert made["due_at"] == "2026-02-01T04:59:59Z"
    assert ada.patch(f"/tasks/{made['id']}", {"due_at": "2026-07-31"}).json["due_at"] == "2026-08-01T03:59:59Z"
    results = ada.post("/tasks/bulk", {"items": [{"title": "Many", "due_at": "2026-01-31"}]}).json["results"]
    assert ada.get(f"/tasks/{results[0]['id']}").json["due_at"] == "2026-02-01T04:59:59Z"
    for wrong in ("2026-02-30", "0001-01-01", "9999-12-31"):
        assert field_errors(ada.post("/tasks", {"title": "x", "due_at": wrong})).keys() == {"body.due_at"}
