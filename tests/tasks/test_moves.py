"""Where tasks stand: order, parents, projects; held by the database, whatever happens at once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.tasks.positions import FARTHEST, GAP, position_between
from tests.support.api import Api, field_errors
from tests.support.live import LiveServer
from tests.tasks.boards import add, add_many, chain, make_project, order

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
# Two keys for each task and its parent: where the tree or the order is broken, a row comes back.
BROKEN = """
    SELECT t.id FROM tasks t LEFT JOIN tasks p ON p.id = t.parent_id
     WHERE t.depth <> coalesce(p.depth, 0) + 1 OR t.depth > 5
        OR (p.id IS NOT NULL AND t.project_id IS DISTINCT FROM p.project_id)
    UNION ALL
    SELECT min(id) FROM tasks GROUP BY organization_id, project_id, parent_id, position HAVING count(*) > 1
"""


def at_once(api: Api, calls: Sequence[Callable[[Api], TestResponse]]) -> list[TestResponse]:
    """The answers to calls that run side by side, each with a client of its own for the same person."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(Api(api.app, session=api.session)), calls))


def move(api: Api, task_id: int, **wanted: int | None) -> TestResponse:
    return api.post(f"/tasks/{task_id}/move", wanted)


def assert_sound(app: Flask) -> None:
    """No cycle, no sixth level, no subtask in another project, no place taken twice."""
    with app.app_context():
        assert list(db.session.scalars(text(BROKEN))) == []
        db.session.remove()


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        (None, None, GAP),
        (GAP, None, 2 * GAP),
        (None, GAP, 0),
        (None, 0, -GAP),
        (1, 4, 2),
        (-3, 0, -2),
        (1, 2, None),
        (-1, 0, None),
        (FARTHEST, None, None),
        (None, -FARTHEST, None),
    ],
)
def test_a_place_lies_between_its_neighbours(before: int | None, after: int | None, place: int | None) -> None:
    assert position_between(before, after) == place


def test_a_task_goes_before_after_or_behind_the_last(ada: Api) -> None:
    a, b, c, d = add_many(ada, "a", "b", "c", "d")
    assert order(ada) == ["a", "b", "c", "d"]
    assert move(ada, d, before_id=b).status_code == 200
    assert order(ada) == ["a", "d", "b", "c"]
    move(ada, a, after_id=b)
    assert order(ada) == ["d", "b", "a", "c"]
    move(ada, d)
    assert order(ada) == ["b", "a", "c", "d"]
    move(ada, c, before_id=b)
    assert order(ada) == ["c", "b", "a", "d"]
    move(ada, c, after_id=d)
    assert order(ada) == ["b", "a", "d", "c"]
    move(ada, c, after_id=b, before_id=a)
    assert order(ada) == ["b", "c", "a", "d"]
    move(ada, b, before_id=c)
    assert order(ada) == ["b", "c", "a", "d"]


def test_a_moved_task_is_the_answer(ada: Api) -> None:
    first, second = add_many(ada, "a", "b")
    moved = move(ada, second, before_id=first)
    assert moved.json == ada.get(f"/tasks/{second}").json
    assert moved.json["position"] < ada.get(f"/tasks/{first}").json["position"]


def test_a_list_whose_gaps_are_used_up_is_spread(ada: Api, context: Flask) -> None:
    ids = add_many(ada, *"abcde")
    ada.delete(f"/tasks/{ids[1]}")
    for turn in range(60):
        assert move(ada, ids[3 + turn % 2], after_id=ids[0]).status_code == 200
        assert order(ada)[:2] == ["a", "de"[turn % 2]]
    for turn in range(60):
        assert move(ada, ids[3 + turn % 2], before_id=ids[2]).status_code == 200
        assert order(ada)[-2:] == ["de"[turn % 2], "c"]
    ada.post(f"/tasks/{ids[1]}/restore")
    assert sorted(order(ada)) == list("abcde")
    assert_sound(context)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_ends_of_a_list_have_an_end(ada: Api, context: Flask, sign: int) -> None:
    first, last = add_many(ada, "a", "b")
    farthest = last if sign > 0 else first
    db.session.execute(
        text("UPDATE tasks SET position = :far WHERE id = :id"), {"far": sign * FARTHEST, "id": farthest}
    )
    db.session.commit()
    wanted = {"after_id": last} if sign > 0 else {"before_id": first}
    assert move(ada, first if sign > 0 else last, **wanted).status_code == 200
    assert order(ada) == ["b", "a"]


def test_a_task_goes_below_another_and_up_again(ada: Api) -> None:
    a, b = add_many(ada, "a", "b")
    child = add(ada, "child", parent_id=b)["id"]
    assert move(ada, a, parent_id=b).json["parent_id"] == b
    assert order(ada, parent_id=b) == ["child", "a"]
    assert move(ada, a, parent_id=None).json["parent_id"] is None
    assert order(ada) == ["b", "a"]
    # A neighbour says which list is meant.
    assert move(ada, a, before_id=child).json["parent_id"] == b
    assert order(ada, parent_id=b) == ["a", "child"]
    assert move(ada, a, after_id=b).json["parent_id"] is None
    assert order(ada) == ["b", "a"]


def test_another_project_takes_the_subtasks_along(ada: Api, context: Flask) -> None:
    project, other = make_project(ada), make_project(ada, "Other")
    ids = chain(ada, 4, project_id=project)
    thrown_away = add(ada, "gone", parent_id=ids[1])["id"]
    ada.delete(f"/tasks/{thrown_away}")
    moved = move(ada, ids[1], project_id=other).json
    assert (moved["project_id"], moved["parent_id"]) == (other, None)
    assert {ada.get(f"/tasks/{id_}").json["project_id"] for id_ in ids[1:]} == {other}
    assert ada.post(f"/tasks/{thrown_away}/restore").json["project_id"] == other
    assert ada.get(f"/tasks/{ids[0]}").json["project_id"] == project
    assert ada.get(f"/projects/{other}").json["tasks"]["total"] == 4
    assert move(ada, ids[1], project_id=None).json["project_id"] is None
    back = move(ada, ids[1], parent_id=ids[0]).json
    assert (back["project_id"], back["parent_id"]) == (project, ids[0])
    assert {ada.get(f"/tasks/{id_}").json["project_id"] for id_ in ids} == {project}
    assert_sound(context)


def test_the_same_by_a_change(ada: Api) -> None:
    project = make_project(ada)
    a, b = add_many(ada, "a", "b")
    assert ada.patch(f"/tasks/{b}", {"parent_id": a, "title": "c"}).json["parent_id"] == a
    changed = ada.patch(f"/tasks/{a}", {"project_id": project}).json
    assert changed["project_id"] == ada.get(f"/tasks/{b}").json["project_id"] == project
    assert changed["subtasks"] == {"total": 1, "done": 0}
    assert ada.patch(f"/tasks/{b}", {"parent_id": None}).json["project_id"] == project
    place = ada.get(f"/tasks/{a}").json["position"]
    assert ada.patch(f"/tasks/{a}", {"project_id": project, "parent_id": None}).json["position"] == place
    assert field_errors(ada.patch(f"/tasks/{a}", {"parent_id": a})) == {"body.parent_id": "cycle"}


def test_what_cannot_be_is_refused_with_the_field(ada: Api) -> None:
    project = make_project(ada)
    top, middle, bottom = chain(ada, 3)
    other = add(ada, "other")["id"]
    elsewhere = add(ada, "elsewhere", project_id=project)["id"]
    gone = add(ada, "gone")["id"]
    ada.delete(f"/tasks/{gone}")
    deep = chain(ada, 4)
    refusals: list[tuple[int, dict[str, Any], str, str]] = [
        (top, {"parent_id": top}, "parent_id", "cycle"),
        (top, {"parent_id": bottom}, "parent_id", "cycle"),
        (top, {"before_id": middle}, "before_id", "cycle"),
        (top, {"after_id": bottom}, "after_id", "cycle"),
        (top, {"parent_id": deep[2]}, "parent_id", "too_deep"),
        (top, {"before_id": deep[3]}, "before_id", "too_deep"),
        (other, {"parent_id": 10**9}, "parent_id", "unknown_task"),
        (other, {"parent_id": gone}, "parent_id", "unknown_task"),
        (other, {"before_id": gone}, "before_id", "unknown_task"),
        (other, {"before_id": other}, "before_id", "itself"),
        (other, {"after_id": other}, "after_id", "itself"),
        (other, {"project_id": 10**9}, "project_id", "unknown_project"),
        (other, {"parent_id": top, "project_id": project}, "project_id", "other_project"),
        (other, {"before_id": top, "project_id": project}, "project_id", "other_project"),
        (other, {"parent_id": top, "before_id": bottom}, "before_id", "other_list"),
        (other, {"parent_id": None, "after_id": middle}, "after_id", "other_list"),
        (other, {"after_id": top, "before_id": elsewhere}, "before_id", "other_list"),
        (other, {"position": 1}, "position", "extra_forbidden"),
        (other, {"before_id": "1"}, "before_id", "int_type"),
    ]
    before = ada.get("/tasks", page_size=100).json
    for task_id, wanted, field, code in refusals:
        assert field_errors(ada.post(f"/tasks/{task_id}/move", wanted)) == {f"body.{field}": code}, wanted
    assert ada.get("/tasks", page_size=100).json == before


def test_the_database_refuses_cycles_depth_and_foreign_projects_by_itself(ada: Api, context: Flask) -> None:
    project = make_project(ada)
    top, middle, bottom = chain(ada, 3)
    deepest = chain(ada, 5)[-1]
    attempts = [
        f"UPDATE tasks SET parent_id = {bottom} WHERE id = {top}",
        f"UPDATE tasks SET parent_id = {bottom}, depth = 4 WHERE id = {top}",
        f"UPDATE tasks SET parent_id = {top} WHERE id = {top}",
        f"UPDATE tasks SET depth = 3 WHERE id = {middle}",
        f"UPDATE tasks SET depth = 6, parent_id = {deepest} WHERE id = {bottom}",
        f"UPDATE tasks SET parent_id = NULL WHERE id = {bottom}",
        f"UPDATE tasks SET project_id = {project} WHERE id = {top}",
        f"UPDATE tasks SET position = (SELECT position FROM tasks WHERE id = {top}) WHERE depth = 1",
        f"UPDATE tasks SET status = 'done' WHERE id = {top}",
        f"UPDATE tasks SET status = 'other' WHERE id = {top}",
        f"UPDATE tasks SET priority = 'other' WHERE id = {top}",
    ]
    for attempt in attempts:
        with pytest.raises(IntegrityError):
            db.session.execute(text(attempt))
        db.session.rollback()


def test_of_two_moves_that_would_make_a_cycle_one_is_refused(ada: Api) -> None:
    for _ in range(10):
        a, b = add_many(ada, "a", "b")
        answers = at_once(
            ada, [lambda api, a=a, b=b: move(api, a, parent_id=b), lambda api, a=a, b=b: move(api, b, parent_id=a)]
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 1}
        refused = next(answer for answer in answers if answer.status_code == 422)
        assert field_errors(refused) == {"body.parent_id": "cycle"}
    assert_sound(ada.app)


def test_of_moves_that_together_go_too_deep_some_are_refused(ada: Api) -> None:
    ids = add_many(ada, *map(str, range(8)))
    calls = [lambda api, up=up, down=down: move(api, down, parent_id=up) for up, down in pairwise(ids)]
    answers = at_once(ada, calls)
    assert set(Counter(answer.status_code for answer in answers)) == {200, 422}
    assert_sound(ada.app)


def test_a_hundred_moves_at_once_in_a_list_of_fifty_keep_a_total_order(live: LiveServer, ada: Api) -> None:
    """Over the real server, all to two places, so that the list has to be spread in between."""
    ids = add_many(ada, *(f"task {number}" for number in range(50)))
    rng = random.Random(6)

    def call(number: int) -> int:
        task_id, beside = rng.choice(ids[1:]), ids[0]
        path = f"/api/v1/tasks/{task_id}/move"
        return live.send("POST", path, {rng.choice(["before_id", "after_id"]): beside}, ada.token).status

    with ThreadPoolExecutor(100) as pool:
        statuses = Counter(pool.map(call, range(100)))
    assert statuses == {200: 100}
    places = [item["position"] for item in ada.get("/tasks", sort="position", page_size=100).json["items"]]
    assert len(set(places)) == len(places) == 50
    assert places == sorted(places)
    assert sorted(item["id"] for item in ada.get("/tasks", page_size=100).json["items"]) == sorted(ids)
    assert_sound(ada.app)


def test_all_kinds_of_writers_get_along(ada: Api) -> None:
    """Moves, changes, new tasks, the trash, projects that go: no 5xx, and the tree stays sound."""
    projects = [make_project(ada, name) for name in "pq"]
    ids = add_many(ada, *map(str, range(20))) + add_many(ada, *map(str, range(10)), project_id=projects[0])

    def some(rng: random.Random) -> int:
        return rng.choice(ids)

    kinds: list[Callable[[Api, random.Random], TestResponse]] = [
        lambda api, rng: move(api, some(rng), before_id=some(rng)),
        lambda api, rng: move(api, some(rng), parent_id=some(rng)),
        lambda api, rng: move(api, some(rng), project_id=rng.choice(projects)),
        lambda api, rng: api.patch(f"/tasks/{some(rng)}", {"parent_id": None, "status": "done"}),
        lambda api, rng: api.patch(f"/tasks/{some(rng)}", {"title": "new"}),
        lambda api, rng: api.post("/tasks", {"title": "x", "parent_id": some(rng)}),
        lambda api, rng: api.post("/tasks/bulk", {"items": [{"title": "x", "parent_id": some(rng)} for _ in range(5)]}),
        lambda api, rng: api.delete(f"/tasks/{some(rng)}"),
        lambda api, rng: api.post(f"/tasks/{some(rng)}/restore"),
        lambda api, rng: api.delete(f"/projects/{projects[1]}", permanent="true"),
    ]

    def work(api: Api, seed: int) -> list[int]:
        rng = random.Random(seed)
        return [rng.choice(kinds)(api, rng).status_code for _ in range(15)]

    with ThreadPoolExecutor(8) as pool:
        ends = pool.map(lambda seed: work(Api(ada.app, session=ada.session), seed), range(8))
    assert {status for each in ends for status in each} <= {200, 201, 204, 404, 409, 422}
    assert_sound(ada.app)
