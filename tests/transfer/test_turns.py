"""Imports in the worker: they go on where they were, let others have their turn, and end when they have to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text

from backend.bookmarks.jobs import refresh_changed_statistics
from backend.extensions import db
from backend.index.statistics import changed_organizations
from backend.jobs import turns
from backend.jobs.queue import rq_queue
from backend.jobs.rights import LOST
from backend.transfer import importing, writing
from backend.transfer import jobs as importing_jobs
from backend.transfer.batches import MAX_RECORDS
from backend.transfer.models import UploadPart
from tests.support.api import Api
from tests.support.sql import SqlCounter
from tests.transfer.conftest import Told, ask, assert_adds_up, imported, run, told
from tests.transfer.json_lines import links

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a turn, if others wait."""
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(turns, "ASK_SECONDS", 0.0)


def execute(person: Api, statement: str, **values: Any) -> None:
    with person.app.app_context():
        db.session.execute(text(statement), values)
        db.session.commit()


def after_batch(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> None:
    """Do something right after a batch is committed."""
    usual = importing.write_batch
    written = []

    def write(*arguments: Any) -> Any:
        found = usual(*arguments)
        written.append(found)
        if len(written) == number:
            act()
        return found

    monkeypatch.setattr(importing, "write_batch", write)


def test_a_large_import_lets_the_small_one_of_another_person_go_first(ada: Api, bob: Api, short_turns: None) -> None:
    large = ask(ada, links(3 * MAX_RECORDS), capture="false")
    small = ask(bob, links(3), capture="false")
    first = run(ada, large)
    assert first["status"] == "queued"
    assert first["progress"]["done"] == MAX_RECORDS
    assert first["progress"]["total"] == 3 * MAX_RECORDS
    with ada.app.app_context():
        assert rq_queue("bulk").job_ids[:2] == [f"job-{large}", f"job-{small}"]
        assert len(rq_queue("bulk").job_ids) == 3  # Behind the small one it goes on.
    assert run(bob, small)["status"] == "succeeded"
    assert bob.get("/bookmarks").json["total"] == 3
    job = run(ada, large)
    assert job["status"] == "succeeded"
    assert job["attempts"] == 1
    assert job["result"]["created"] == 3 * MAX_RECORDS
    assert ada.get("/bookmarks").json["total"] == 3 * MAX_RECORDS


def test_while_nobody_waits_it_goes_on(ada: Api, short_turns: None) -> None:
    assert imported(ada, links(3 * MAX_RECORDS), capture="false")["created"] == 3 * MAX_RECORDS


def test_of_one_person_the_imports_come_one_after_another(ada: Api, short_turns: None) -> None:
    first, second = ask(ada, links(2 * MAX_RECORDS), capture="false"), ask(ada, links(2), capture="false")
    assert run(ada, second)["status"] == "queued"
    assert run(ada, first)["status"] == "succeeded"
    job = run(ada, second)  # It has been woken.
    assert job["status"] == "succeeded"
    assert job["result"]["duplicates"] == 2


def test_a_cancelled_import_keeps_what_is_in(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ask(ada, links(4 * MAX_RECORDS), capture="false")
    after_batch(monkeypatch, 2, lambda: ada.delete(f"/jobs/{job_id}"))
    job = run(ada, job_id)
    assert job["status"] == "cancelled"
    assert_adds_up(job["result"])
    assert job["result"]["created"] == ada.get("/bookmarks").json["total"] == 2 * MAX_RECORDS
    with ada.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(UploadPart)) == 0
    assert run(ada, job_id) == job


@pytest.mark.parametrize("change", ["DELETE FROM memberships", "UPDATE memberships SET role = 'viewer'"])
def test_whoever_loses_the_right_imports_nothing_more(ada: Api, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """In the next batch already."""
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    in_team = {"X-Organization-ID": str(team)}
    job_id = ask(ada, links(4 * MAX_RECORDS), capture="false")
    execute(ada, "UPDATE jobs SET organization_id = :team; UPDATE imports SET organization_id = :team", team=team)
    where = " WHERE organization_id = :team AND user_id = :user"
    after_batch(monkeypatch, 1, lambda: execute(ada, change + where, team=team, user=ada.user_id))
    run_without_asking(ada, job_id)
    execute(ada, "DELETE FROM memberships" + where, team=team, user=ada.user_id)
    execute(ada, "INSERT INTO memberships (organization_id, user_id, role) VALUES (:team, :user, 'owner')",
            team=team, user=ada.user_id)  # fmt: skip
    job: Told = ada.request("GET", f"/jobs/{job_id}", headers=in_team).json
    assert (job["status"], job["error"]) == ("cancelled", LOST)
    assert ada.request("GET", "/bookmarks", headers=in_team).json["total"] == MAX_RECORDS


def run_without_asking(person: Api, job_id: str) -> None:
    with person.app.app_context():
        importing_jobs.run_import(job_id)
        db.session.remove()


def test_a_run_that_broke_off_goes_on_behind_its_last_batch(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [*links(MAX_RECORDS), *links(10), *links(MAX_RECORDS, start=MAX_RECORDS)]
    job_id = ask(ada, records, capture="false")

    def break_off() -> None:
        raise RuntimeError

    with monkeypatch.context() as once:
        after_batch(once, 1, break_off)
        assert run(ada, job_id)["progress"]["done"] == MAX_RECORDS
    execute(ada, "UPDATE jobs SET run_after = now()")
    result = run(ada, job_id)["result"]
    assert_adds_up(result)
    assert (result["created"], result["duplicates"]) == (2 * MAX_RECORDS, 10)


def test_a_batch_that_was_committed_elsewhere_is_not_counted_twice(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two workers that take each other for dead, one goes on."""
    job_id = ask(ada, links(2 * MAX_RECORDS), capture="false")
    after_batch(monkeypatch, 1, lambda: execute(ada, "UPDATE imports SET position = position + 1, failed = failed + 1"))
    job = run(ada, job_id)
    assert job["status"] == "running"
    assert job["result"]["created"] == ada.get("/bookmarks").json["total"] == MAX_RECORDS


@pytest.mark.parametrize("records", [100, MAX_RECORDS])
def test_a_batch_takes_as_many_statements_however_many_lines_it_has(ada: Api, sql: SqlCounter, records: int) -> None:
    job_id = ask(ada, links(records, tags=["one", "two"]), capture="false")
    with sql.at_most(36):
        run(ada, job_id)
    job_id = ask(ada, [{**link, "notes": "new"} for link in links(records)], capture="false")
    with sql.at_most(36):
        assert run(ada, job_id)["result"]["duplicates"] == records


def test_a_second_batch_takes_sixteen_statements(ada: Api, sql: SqlCounter) -> None:
    counted = []
    for batches in (1, 2):
        job_id = ask(ada, links(batches * MAX_RECORDS, start=batches * 10_000, tags=["one"]), capture="false")
        sql.clear()
        run(ada, job_id)
        counted.append(len(sql.statements))
    assert counted[1] - counted[0] <= 16


def test_after_a_large_import_words_are_counted_at_once(ada: Api) -> None:
    imported(ada, links(200), capture="false")
    with ada.app.app_context():
        waiting = [job.func_name for job in rq_queue("bulk").jobs]
        assert "bookmarks.refresh_changed_statistics" in waiting
        assert changed_organizations() == [ada.organization_id]
        refresh_changed_statistics()
        assert changed_organizations() == []


def test_after_a_large_import_the_planner_knows_the_tables(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MANY_TO_ANALYZE", 100)
    imported(ada, links(300), capture="false")
    with ada.app.app_context():
        rows = db.session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'bookmarks'::regclass"))
    assert rows == 300


def test_the_backlog_of_captures_is_told(ada: Api, sql: SqlCounter) -> None:
    empty = {"pending": 0, "in_progress": 0, "captured": 0, "failed": 0, "skipped": 0, "oldest_due_at": None}
    assert ada.get("/bookmarks/captures").json == empty
    imported(ada, links(5))
    imported(ada, links(3, start=5), capture="false")
    execute(
        ada, "UPDATE bookmarks SET capture_claimed_at = now(), capture_due_at = now() + interval '1 hour' WHERE id = 1"
    )
    execute(ada, "UPDATE bookmarks SET capture_status = 'failed', capture_due_at = NULL WHERE id = 2")
    with sql.at_most(2):
        told_now = ada.get("/bookmarks/captures").json
    assert told_now.pop("oldest_due_at")
    assert told_now == {"pending": 4, "in_progress": 1, "captured": 0, "failed": 1, "skipped": 3}


def test_a_failure_of_the_server_is_tried_again_and_counts_stay(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ask(ada, links(2 * MAX_RECORDS), capture="false")

    def fail(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(writing, "keep_progress", fail)
        for _ in range(3):
            execute(ada, "UPDATE jobs SET run_after = now()")
            run(ada, job_id)
    job = told(ada, job_id)
    assert job["status"] == "failed"
    assert ada.get("/bookmarks").json["total"] == 0
