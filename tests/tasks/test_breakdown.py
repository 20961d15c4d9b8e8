"""Breaking a task down: found, shown, added once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.tasks import jobs
from backend.tasks.jobs import run_breakdown
from tests.support.api import Api, field_errors
from tests.tasks.boards import add, chain, order
from tests.tasks.breakdowns import HOWTO, LIST, ask, break_down, save_page

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
STEPS = [
    {"title": "Copy the data", "description": "- stop the writers", "estimate_minutes": 45, "bookmark_ids": []},
    {"title": "Call Ben", "description": "", "estimate_minutes": 15, "bookmark_ids": []},
]


@pytest.mark.parametrize("engine", ["auto", "outline"])
def test_the_tasks_own_list_comes_first(ada: Api, engine: str) -> None:
    save_page(ada, HOWTO, title="Bleed a radiator")
    task = add(ada, "Bleed a radiator", description=LIST)["id"]
    job = break_down(ada, task, engine=engine)
    assert job["status"] == "succeeded"
    assert job["result"] == {
        "engine": "outline", "subtasks": STEPS, "created_ids": [], "source": {"kind": "text"}, "reason": None,
        "fallback": None,
    }  # fmt: skip
    assert ada.get("/tasks").json["total"] == 1


def test_without_one_the_page_that_matches_best_is_taken_and_named(ada: Api) -> None:
    save_page(ada, "<h2>Mix the dough</h2><h2>Bake the bread</h2>", title="How to bake bread", page_text="a radiator")
    howto = save_page(ada, HOWTO, title="How to bleed a radiator", page_text="valve, key, water")
    job = break_down(ada, add(ada, "Bleed the radiators upstairs")["id"])
    assert job["result"]["source"] == {"kind": "page", "bookmark_id": howto}
    assert [step["title"] for step in job["result"]["subtasks"]] == ["Turn off the heating", "Open the valve"]


def test_a_page_that_speaks_of_something_else_is_not_taken(ada: Api, bob: Api) -> None:
    save_page(
        ada, "<h2>Mix the dough</h2><h2>Bake</h2>", title="How to bake bread", page_text="bleed, radiator, upstairs"
    )
    save_page(bob, HOWTO, title="How to bleed a radiator")
    gone = save_page(ada, HOWTO, title="To bleed radiators")
    ada.delete(f"/bookmarks/{gone}")
    save_page(ada, HOWTO, title="Bleed radiators now", captured=False)
    save_page(ada, "<p>no steps</p>", title="Bleed radiators")
    job = break_down(ada, add(ada, "Bleed radiators upstairs")["id"], apply=True)
    assert job["status"] == "succeeded"
    assert (job["result"]["subtasks"], job["result"]["source"], job["result"]["created_ids"]) == ([], None, [])
    assert "no steps of its own" in job["result"]["reason"]


@pytest.mark.parametrize("title", ["-", 'tag:x -y OR "z', "the of and", "?", "x" * 500, "(((" * 100])
def test_no_title_is_a_query(ada: Api, title: str) -> None:
    save_page(ada, HOWTO, title="How to bleed a radiator")
    assert break_down(ada, add(ada, title)["id"])["status"] == "succeeded"


def test_a_breakdown_is_no_search_of_the_persons(ada: Api) -> None:
    save_page(ada, HOWTO, title="How to bleed a radiator")
    break_down(ada, add(ada, "Bleed a radiator")["id"])
    assert not [item for item in ada.get("/search/suggest", q="").json["items"] if item["kind"] == "recent"]


def test_there_are_at_most_as_many_as_asked_for(ada: Api) -> None:
    task = add(ada, "x", description="\n".join(f"- step {number}" for number in range(30)))["id"]
    assert len(break_down(ada, task)["result"]["subtasks"]) == 10
    assert len(break_down(ada, task, max_subtasks=20)["result"]["subtasks"]) == 20
    assert len(break_down(ada, task, max_subtasks=1)["result"]["subtasks"]) == 1
    # To JSON the same number.
    assert len(break_down(ada, task, max_subtasks=2.0)["result"]["subtasks"]) == 2


def test_apply_adds_them_in_order_and_once(ada: Api) -> None:
    task = add(ada, "Move", description=LIST)["id"]
    add(ada, "call BEN.", parent_id=task)
    first = break_down(ada, task, apply=True)["result"]
    assert order(ada, parent_id=task) == ["call BEN.", "Copy the data"]
    [created] = first["created_ids"]
    assert ada.get(f"/tasks/{created}").json["description"] == "- stop the writers"
    assert first["subtasks"] == STEPS
    assert break_down(ada, task, apply=True)["result"]["created_ids"] == []
    ada.delete(f"/tasks/{created}")
    assert break_down(ada, task, apply=True)["result"]["created_ids"] == []
    assert order(ada, parent_id=task) == ["call BEN."]


def test_a_job_that_runs_twice_adds_nothing_twice(ada: Api, context: Flask) -> None:
    """Its worker was killed right after it had added them; meanwhile they were deleted for good."""
    task = add(ada, "Move", description=LIST)["id"]
    job_id = ask(ada, task, apply=True)
    run_breakdown(job_id)
    before = ada.get(f"/jobs/{job_id}").json["result"]
    assert len(before["created_ids"]) == 2
    ada.delete(f"/tasks/{before['created_ids'][0]}", permanent="true")
    db.session.execute(
        text("UPDATE jobs SET status = 'running', lease_until = now() - interval '1 second', finished_at = NULL")
    )
    db.session.commit()
    run_breakdown(job_id)
    job = ada.get(f"/jobs/{job_id}").json
    assert (job["status"], job["attempts"], job["result"]) == ("succeeded", 2, before)
    assert order(ada, parent_id=task) == ["Call Ben"]


def test_jobs_at_once_add_nothing_twice(ada: Api) -> None:
    task = add(ada, "Move", description=LIST)["id"]
    ids = [ask(ada, task, apply=True) for _ in range(6)]

    def work(job_id: str) -> None:
        with ada.app.app_context():
            run_breakdown(job_id)
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, ids))
    results = [ada.get(f"/jobs/{job_id}").json["result"] for job_id in ids]
    assert sorted(len(result["created_ids"]) for result in results) == [0, 0, 0, 0, 0, 2]
    assert order(ada, parent_id=task) == ["Copy the data", "Call Ben"]


def test_a_cancelled_job_adds_nothing(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    task = add(ada, "Move", description=LIST)["id"]
    job_id = ask(ada, task, apply=True)
    find = jobs.break_down

    def cancel_meanwhile(*arguments: Any) -> Any:
        assert ada.delete(f"/jobs/{job_id}").status_code == 200
        return find(*arguments)

    monkeypatch.setattr(jobs, "break_down", cancel_meanwhile)
    run_breakdown(job_id)
    assert ada.get(f"/jobs/{job_id}").json["status"] == "cancelled"
    assert order(ada, parent_id=task) == []


def test_without_a_language_model_that_engine_fails_with_a_reason(ada: Api) -> None:
    job = break_down(ada, add(ada, "Move", description=LIST)["id"], engine="llm", apply=True)
    assert job["status"] == "failed"
    assert "language model" in job["error"]
    assert job["attempts"] == 1
    assert ada.get("/tasks").json["total"] == 1


@pytest.mark.parametrize("permanent", ["true", "false"])
def test_a_task_that_is_gone_by_then_fails_with_a_reason(ada: Api, permanent: str) -> None:
    task = add(ada, "Move", description=LIST)["id"]
    job_id = ask(ada, task)
    ada.delete(f"/tasks/{task}", permanent=permanent)
    with ada.app.app_context():
        run_breakdown(job_id)
    job = ada.get(f"/jobs/{job_id}").json
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert "deleted" in job["error"]


def test_where_there_is_no_room_it_can_be_shown_but_not_added(ada: Api) -> None:
    deepest = chain(ada, 5)[-1]
    ada.patch(f"/tasks/{deepest}", {"description": LIST})
    assert field_errors(ada.post(f"/tasks/{deepest}/breakdown", {"apply": True})) == {"body.apply": "too_deep"}
    assert break_down(ada, deepest)["result"]["subtasks"] == STEPS
    other = add(ada, "x", description=LIST)["id"]
    parent = chain(ada, 4)[-1]
    job_id = ask(ada, other, apply=True)
    ada.post(f"/tasks/{other}/move", {"parent_id": parent})
    with ada.app.app_context():
        run_breakdown(job_id)
    assert "no room" in ada.get(f"/jobs/{job_id}").json["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"engine": "magic"}, "engine"), ({"max_subtasks": 0}, "max_subtasks"), ({"max_subtasks": 21}, "max_subtasks"),
        ({"apply": "yes"}, "apply"), ({"other": 1}, "other"),
    ],
)  # fmt: skip
def test_what_is_no_breakdown_is_refused(ada: Api, body: dict[str, Any], field: str) -> None:
    task = add(ada, "x")["id"]
    assert set(field_errors(ada.post(f"/tasks/{task}/breakdown", body))) == {f"body.{field}"}
    assert ada.get("/jobs").json["total"] == 0
