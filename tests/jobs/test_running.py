"""Durable jobs: claimed once, ended once, tried again, parked with a reason (R-WORK 3)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, text, update

from backend.extensions import db
from backend.jobs.attempts import MAX_ATTEMPTS
from backend.jobs.models import Job
from backend.jobs.running import (
    ClaimedJob,
    JobFailed,
    RetryLater,
    due_job_messages,
    durable_job,
    keep_progress,
    report_progress,
    store_result,
)
from tests.support.api import Api
from tests.support.logged import logged

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def job_id(ada: Api, context: Flask) -> str:
    """A queued job."""
    job = Job(organization_id=ada.organization_id, user_id=ada.user_id, kind="capture", arguments={"bookmark_id": 5})
    db.session.add(job)
    db.session.commit()
    return str(job.id)


def read(job_id: str) -> Job:
    db.session.expire_all()
    return db.session.get_one(Job, job_id)


def put(job_id: str, **values: Any) -> None:
    db.session.execute(update(Job).where(Job.id == job_id).values(**values))
    db.session.commit()


def failing(error: Exception) -> Callable[[str], None]:
    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        raise error

    return handler


@durable_job
def succeeding(job: ClaimedJob) -> dict[str, Any]:
    return {"bookmark": job.arguments["bookmark_id"], "attempt": job.attempt}


def test_what_the_handler_returns_is_the_result(ada: Api, job_id: str) -> None:
    succeeding(job_id)
    shown = ada.get(f"/jobs/{job_id}").json
    assert [shown["status"], shown["result"], shown["attempts"]] == ["succeeded", {"bookmark": 5, "attempt": 1}, 1]
    assert shown["started_at"] <= shown["finished_at"]


def test_a_second_message_for_a_job_does_nothing(job_id: str) -> None:
    succeeding(job_id)
    failing(JobFailed("never"))(job_id)
    assert [read(job_id).status, read(job_id).attempts] == ["succeeded", 1]


def test_of_many_messages_at_once_one_runs(job_id: str, context: Flask) -> None:
    ran: list[int] = []

    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        ran.append(job.attempt)
        return {}

    def run(_: int) -> None:
        with context.app_context():
            handler(job_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert ran == [1]


def test_a_cancelled_job_never_starts_and_a_running_one_stays_cancelled(ada: Api, job_id: str) -> None:
    @durable_job
    def cancelled_meanwhile(job: ClaimedJob) -> dict[str, Any]:
        assert ada.delete(f"/jobs/{job_id}").status_code == 200
        return {"done": True}

    cancelled_meanwhile(job_id)
    assert [read(job_id).status, read(job_id).result] == ["cancelled", None]
    succeeding(job_id)
    assert read(job_id).status == "cancelled"


def test_a_failure_that_can_be_explained_ends_it_at_once_with_the_reason(ada: Api, job_id: str) -> None:
    failing(JobFailed("The page is gone."))(job_id)
    shown = ada.get(f"/jobs/{job_id}").json
    assert [shown["status"], shown["error"], shown["attempts"]] == ["failed", "The page is gone.", 1]


def test_an_unexpected_failure_is_tried_again_later_and_in_the_end_parked(ada: Api, job_id: str) -> None:
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        put(job_id, run_after=func.now())
        failing(RuntimeError("secret detail"))(job_id)
        assert read(job_id).attempts == attempt
        waits.append(db.session.scalar(text("SELECT extract(epoch FROM run_after - now()) FROM jobs")))
        if attempt < MAX_ATTEMPTS:
            assert read(job_id).status == "queued"
            succeeding(job_id)  # Too early: nothing happens.
            assert read(job_id).attempts == attempt
    assert 0 < waits[0] < waits[1]
    shown = ada.get(f"/jobs/{job_id}").json
    assert shown["status"] == "failed"
    assert "secret" not in shown["error"]


def test_waiting_is_no_failure(job_id: str) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        put(job_id, run_after=func.now())
        failing(RetryLater(60))(job_id)
        assert [read(job_id).status, read(job_id).attempts] == ["queued", 0]


def test_a_job_whose_worker_died_is_due_again_when_its_lease_is_over(job_id: str) -> None:
    put(job_id, status="running", attempts=1, lease_until=func.now() + text("interval '1 minute'"))
    assert due_job_messages(10) == []
    succeeding(job_id)
    assert read(job_id).status == "running"
    put(job_id, lease_until=func.now() - text("interval '1 second'"))
    assert [message.arguments for message in due_job_messages(10)] == [{"job_id": job_id}]
    succeeding(job_id)
    assert [read(job_id).status, read(job_id).attempts] == ["succeeded", 2]


def test_a_worker_that_comes_back_late_changes_nothing(job_id: str) -> None:
    @durable_job
    def slow(job: ClaimedJob) -> dict[str, Any]:
        put(job_id, lease_until=func.now() - text("interval '1 second'"))
        succeeding(job_id)
        return {"late": True}

    slow(job_id)
    assert read(job_id).result == {"bookmark": 5, "attempt": 2}


def test_a_job_that_kills_its_worker_again_and_again_is_parked(ada: Api, job_id: str) -> None:
    put(job_id, status="running", attempts=MAX_ATTEMPTS, lease_until=func.now() - text("interval '1 second'"))
    succeeding(job_id)
    shown = ada.get(f"/jobs/{job_id}").json
    assert [shown["status"], shown["result"]] == ["failed", None]
    assert "three times" in shown["error"]
    assert due_job_messages(10) == []


def dying_after(*, progress: bool, error: BaseException) -> Callable[[str], None]:
    """A handler that gets further, or not, and then dies or fails."""

    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        assert job.arguments == {"bookmark_id": 5}
        if progress:
            keep_progress(job, {"so far": job.attempt}, job.attempt, 9, "")
            db.session.commit()
        raise error

    return handler


def die(job_id: str, *, progress: bool) -> None:
    """Have a worker die in the middle of an attempt, and its lease end."""
    with pytest.raises(SystemExit):
        dying_after(progress=progress, error=SystemExit())(job_id)
    db.session.rollback()
    put(job_id, lease_until=func.now() - text("interval '1 second'"))


def test_attempts_count_since_the_last_progress(ada: Api, job_id: str) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 3):
        die(job_id, progress=True)
        assert [read(job_id).status, read(job_id).result] == ["running", {"so far": attempt}]
    for _ in range(MAX_ATTEMPTS):
        die(job_id, progress=False)
        assert read(job_id).status == "running"
    succeeding(job_id)
    shown = ada.get(f"/jobs/{job_id}").json
    assert [shown["status"], shown["result"]] == ["failed", {"so far": MAX_ATTEMPTS + 2}]
    assert "three times" in shown["error"]


def test_failures_count_since_the_last_progress(job_id: str) -> None:
    for progress in (False, False, True, False):
        put(job_id, run_after=func.now())
        dying_after(progress=progress, error=RuntimeError())(job_id)
        assert read(job_id).status == "queued"
    for status in ("queued", "failed"):
        put(job_id, run_after=func.now())
        failing(RuntimeError())(job_id)
        assert read(job_id).status == status


def test_due_jobs_come_longest_waiting_first(ada: Api, job_id: str) -> None:
    older = Job(organization_id=ada.organization_id, kind="capture", run_after=text("now() - interval '1 hour'"))
    future = Job(organization_id=ada.organization_id, kind="capture", run_after=text("now() + interval '1 hour'"))
    ended = Job(organization_id=ada.organization_id, kind="capture", status="succeeded")
    db.session.add_all([older, future, ended])
    db.session.commit()
    assert [message.arguments["job_id"] for message in due_job_messages(10)] == [str(older.id), job_id]
    assert len(due_job_messages(1)) == 1


def test_progress_is_shown_and_keeps_the_job(ada: Api, job_id: str) -> None:
    shown: list[Any] = []

    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        put(job_id, lease_until=func.now())
        report_progress(job, 3, 7, "Reading")
        shown.append(ada.get(f"/jobs/{job_id}").json["progress"])
        assert due_job_messages(10) == []
        return {}

    handler(job_id)
    assert shown == [{"done": 3, "total": 7, "message": "Reading"}]
    assert read(job_id).status == "succeeded"


def test_a_job_that_is_cancelled_stops_at_its_next_step(ada: Api, job_id: str) -> None:
    steps: list[int] = []

    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        for step in range(5):
            report_progress(job, step, 5)
            steps.append(step)
            if step == 1:
                ada.delete(f"/jobs/{job_id}")
        return {}

    handler(job_id)
    assert steps == [0, 1]
    assert [read(job_id).status, read(job_id).error] == ["cancelled", None]


def test_a_job_that_another_worker_has_taken_over_is_left_to_it(job_id: str) -> None:
    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        put(job_id, attempts=2)
        report_progress(job, 1, 5)
        raise AssertionError

    handler(job_id)
    assert [read(job_id).status, read(job_id).attempts, read(job_id).done] == ["running", 2, 0]


def test_what_a_run_kept_before_it_died_is_there_for_the_next(ada: Api, job_id: str) -> None:
    seen: list[dict[str, Any] | None] = []

    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        seen.append(job.result)
        if job.result is None:
            store_result(job, {"kept": 1})
            db.session.commit()
            raise RetryLater(0)
        return job.result

    handler(job_id)
    handler(job_id)
    assert seen == [None, {"kept": 1}]
    assert ada.get(f"/jobs/{job_id}").json["result"] == {"kept": 1}


def test_what_a_stopped_job_did_is_not_kept(ada: Api, job_id: str) -> None:
    @durable_job
    def handler(job: ClaimedJob) -> dict[str, Any]:
        assert ada.delete(f"/jobs/{job_id}").status_code == 200
        db.session.execute(text("DELETE FROM users"))
        store_result(job, {"kept": 1})
        db.session.commit()
        return {}

    handler(job_id)
    assert ada.get(f"/jobs/{job_id}").json["status"] == "cancelled"
    assert ada.get(f"/jobs/{job_id}").json["result"] is None
    assert db.session.scalar(text("SELECT count(*) FROM users")) == 1


def test_every_line_of_a_job_names_it_and_the_request_that_added_it(job_id: str, ada: Api) -> None:
    put(job_id, request_id="of-the-test")
    with logged() as lines:
        failing(RuntimeError("the reason"))(job_id)
        put(job_id, run_after=func.now())
        succeeding(job_id)
    failed, succeeded = lines
    for line in lines:
        for field in ("'request_id': 'of-the-test'", f"'job_id': '{job_id}'", "'kind': 'capture'"):
            assert field in line
        assert f"'user_id': {ada.user_id}, 'organization_id': {ada.organization_id}" in line
    assert "'attempt': 1" in failed
    assert "RuntimeError: the reason" in failed
    assert "job capture succeeded" in succeeded
    assert "'outcome': 'succeeded', 'duration_ms': " in succeeded
