"""How many SQL statements tasks take: few, and no more for more rows; which indexes their lists use."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests.support.api import Api
from tests.support.sql import SqlCounter
from tests.tasks.boards import add, add_many, chain, make_project

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.mark.parametrize("rows", [1, 60])
def test_a_list_takes_three_and_a_read_two(ada: Api, sql: SqlCounter, rows: int) -> None:
    project = make_project(ada)
    ids = add_many(ada, *(f"task {number}" for number in range(rows)), project_id=project)
    for id_ in ids[:5]:
        add_many(ada, "a", "b", parent_id=id_)
    queries: list[dict[str, Any]] = [
        {}, {"project_id": project}, {"parent_id": ids[0]}, {"q": "task", "status": "todo", "sort": "-due_at"},
        {"deleted": "true"},
    ]  # fmt: skip
    for query in queries:
        with sql.at_most(3):
            assert ada.get("/tasks", page_size=100, **query).status_code == 200
    with sql.at_most(3):
        assert ada.get("/projects").status_code == 200
    with sql.at_most(2):
        assert ada.get(f"/tasks/{ids[0]}").status_code == 200


@pytest.mark.parametrize("rows", [0, 60])
def test_writes_take_eight_at_most(ada: Api, sql: SqlCounter, rows: int) -> None:
    project = make_project(ada)
    parent = add(ada, "parent", project_id=project)["id"]
    add_many(ada, *map(str, range(rows)), parent_id=parent)
    other, free = add(ada, "other")["id"], add(ada, "free")["id"]
    ada.get("/tasks")
    moves: list[dict[str, Any]] = [
        {"before_id": other}, {"parent_id": other}, {"project_id": project}, {"project_id": None}, {},
        {"after_id": parent}, {"parent_id": None, "after_id": parent},
    ]  # fmt: skip
    for wanted in moves:
        with sql.at_most(8):
            assert ada.post(f"/tasks/{free}/move", wanted).status_code == 200, wanted
    for path, body in (
        ("/tasks", {"title": "x", "parent_id": parent}),
        ("/tasks", {"title": "x", "project_id": project}),
    ):
        with sql.at_most(7):
            assert ada.post(path, body).status_code == 201
    with sql.at_most(4):
        assert ada.patch(f"/tasks/{parent}", {"status": "done", "title": "y"}).status_code == 200
    with sql.at_most(4):
        assert ada.delete(f"/tasks/{parent}").status_code == 204
    with sql.at_most(5):
        assert ada.post(f"/tasks/{parent}/restore").status_code == 200
    with sql.at_most(3):
        assert ada.delete(f"/tasks/{parent}", permanent="true").status_code == 204


def test_a_move_that_spreads_the_list_into_which_it_goes_takes_eight_at_most(ada: Api, sql: SqlCounter) -> None:
    parent, *_ = chain(ada, 3)
    ids = add_many(ada, *map(str, range(30)), parent_id=parent)
    free = add_many(ada, *map(str, range(20)))
    most, spread = 0, 0
    for id_ in free:
        sql.clear()
        assert ada.post(f"/tasks/{id_}/move", {"after_id": ids[0]}).status_code == 200
        most = max(most, len(sql.statements))
        spread += any("row_number" in statement for statement in sql.statements)
    assert spread >= 1
    assert most <= 8


def test_statements_of_a_bulk_do_not_grow_with_the_items(ada: Api, sql: SqlCounter) -> None:
    project = make_project(ada)
    parents = add_many(ada, *map(str, range(10)), project_id=project)

    def items(number: int) -> list[dict[str, Any]]:
        places: list[dict[str, Any]] = [{}, {"project_id": project}, {"due_at": "2030-01-01T00:00:00Z"}]
        places += [{"parent_id": parent, "status": "done"} for parent in parents]
        return [{"title": f"task {place}", **places[place % len(places)]} for place in range(number)]

    counts = []
    for number in (4, 500):
        with sql.at_most(7):
            assert ada.post("/tasks/bulk", {"items": items(number)}).json["created"] == number
        counts.append(len(sql.statements))
    assert counts[0] == counts[1]


@pytest.fixture
def large(ada: Api, context: Flask) -> int:
    """Many tasks of an organization, among those of others; a project with few of them."""
    project = make_project(ada)
    db.session.execute(
        text("""
            INSERT INTO tasks (organization_id, title, position, due_at, priority, created_at, updated_at, deleted_at)
            SELECT :organization, 'task ' || n, n, CASE WHEN n % 3 = 0 THEN now() + n * interval '1 minute' END,
                   (ARRAY['low', 'normal', 'high', 'urgent'])[n % 4 + 1], now() - n * interval '1 minute',
                   now() - n * interval '1 second', CASE WHEN n % 50 = 0 THEN now() END
              FROM generate_series(1, 20000) n
        """),
        {"organization": ada.organization_id},
    )
    db.session.execute(
        text("""
            INSERT INTO tasks (organization_id, project_id, title, position)
            SELECT :organization, :project, 'task ' || n, n FROM generate_series(1, 30) n
        """),
        {"organization": ada.organization_id, "project": project},
    )
    db.session.commit()
    db.session.execute(text("ANALYZE tasks"))
    db.session.commit()
    return project


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "ix_tasks_created"),
        ({"sort": "-updated_at"}, "ix_tasks_updated"),
        ({"sort": "due_at"}, "ix_tasks_due"),
        ({"sort": "-priority"}, "ix_tasks_priority"),
        ({"project_id": "of"}, "ix_tasks_project"),
        ({"project_id": "none", "parent_id": "none"}, "uq_tasks_organization_id_project_key_parent_key_position"),
        ({"parent_id": 5}, "ix_tasks_parent_id"),
        ({"deleted": "true"}, "ix_tasks_trash"),
    ],
)
def test_the_lists_of_every_day_are_read_from_an_index(
    ada: Api, sql: SqlCounter, large: int, query: dict[str, Any], index: str
) -> None:
    """R-DB 1."""
    query = {name: large if value == "of" else value for name, value in query.items()}
    sql.clear()
    assert ada.get("/tasks", **query).status_code == 200
    # Before it stands the count, which may read the whole table where all of it is counted.
    page = sql.plans()[-1].partition("->  Limit")[2]
    assert index in page, page
    assert "Seq Scan on tasks" not in page, page


def test_the_last_place_of_a_long_list_is_read_from_an_index(ada: Api, sql: SqlCounter, large: int) -> None:
    task = add(ada, "x")["id"]
    sql.clear()
    ada.post(f"/tasks/{task}/move", {})
    plans = [plan for plan in sql.plans() if "uq_tasks_organization_id_project_key_parent_key_position" in plan]
    assert plans
    assert any("Limit" in plan for plan in plans), plans
