"""Many tasks in one request."""

from __future__ import annotations

import pytest

from tests.support.api import Api, field_errors
from tests.tasks.boards import add, add_many, chain, make_project, order

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
BAD = [
    "1", "null", "[]", "{}", '{"title": ""}', '{"title": " "}', '{"title": "a\\u0000b"}',
    '{"title": "x", "status": "open"}', '{"title": "x", "parent_id": 1000000}', '{"title": "x", "project_id": 1000000}',
    '{"title": "x", "parent_id": 0}', '{"title": "x", "parent_id": 1e400}', '{"title": "x", "due_at": 5}',
    '{"title": "x", "other": 1}', '{"title": "x", "description": null}',
]  # fmt: skip


def test_results_stand_in_the_order_of_the_items(ada: Api) -> None:
    project = make_project(ada)
    parent = add(ada, "parent", project_id=project)["id"]
    items = [
        {"title": "a", "parent_id": parent},
        {"title": "", "parent_id": parent},
        {"title": "b", "project_id": project, "status": "done", "due_at": "2030-01-01T00:00:00Z"},
        {"title": "c", "parent_id": parent, "project_id": None},
        {"title": "d", "parent_id": chain(ada, 5)[-1]},
        {"title": "e", "parent_id": parent},
    ]
    answer = ada.post("/tasks/bulk", {"items": items}).json
    assert [result["index"] for result in answer["results"]] == list(range(6))
    assert [result["status"] for result in answer["results"]] == [
        "created",
        "invalid",
        "created",
        *["invalid"] * 2,
        "created",
    ]
    assert [answer["created"], answer["invalid"]] == [3, 3]
    assert [result["error"] for result in answer["results"] if result["error"]] == [
        "title: A task needs a title",
        "project_id: A subtask is in the project of its parent.",
        "parent_id: Subtasks go 5 levels deep at most.",
    ]
    made = {index: ada.get(f"/tasks/{answer['results'][index]['id']}").json for index in (0, 2, 5)}
    assert [made[index]["title"] for index in made] == ["a", "b", "e"]
    assert made[0]["project_id"] == project
    assert made[2]["completed_at"] is not None
    assert order(ada, parent_id=parent) == ["a", "e"]


def test_one_bad_item_spoils_no_other(ada: Api) -> None:
    for place, bad in enumerate(BAD, start=1):
        body = f'{{"items": [{bad}, {{"title": "good {place}"}}, {bad}]}}'
        answer = ada.request("POST", "/tasks/bulk", data=body.encode(), content_type="application/json")
        assert answer.status_code == 200, bad
        assert [result["status"] for result in answer.json["results"]] == ["invalid", "created", "invalid"], bad
        assert all(answer.json["results"][index]["error"] for index in (0, 2))
        assert ada.get("/tasks").json["total"] == place


def test_the_projects_and_parents_of_others_are_unknown(ada: Api, bob: Api) -> None:
    items = [{"title": "x", "parent_id": add(ada, "a")["id"]}, {"title": "x", "project_id": make_project(ada)}]
    assert bob.post("/tasks/bulk", {"items": items}).json["invalid"] == 2


def test_they_come_last_in_their_order_and_the_later_is_the_newer(ada: Api) -> None:
    add(ada, "first")
    add_many(ada, *(f"task {number}" for number in range(30)))
    expected = ["first", *(f"task {number}" for number in range(30))]
    assert order(ada) == expected
    assert ada.titles("/tasks", page_size=100) == expected[::-1]


def test_five_hundred_are_taken_and_one_more_is_422(ada: Api) -> None:
    items = [{"title": str(number)} for number in range(501)]
    assert field_errors(ada.post("/tasks/bulk", {"items": items})) == {"body.items": "too_long"}
    assert ada.post("/tasks/bulk", {"items": items[:500]}).json["created"] == 500
    assert ada.post("/tasks/bulk", {"items": []}).json == {"results": [], "created": 0, "invalid": 0}
