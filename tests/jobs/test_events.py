"""GET /jobs/{id}/events where nothing holds streams: who may ask, what the first events say, and what polls cost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.actor import Actor
from backend.extensions import db
from backend.jobs.events import JobWatch, poll_jobs, watch_job
from backend.jobs.models import Job
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def add_job(person: Api, **values: Any) -> Job:
    with person.app.app_context():
        job = Job(organization_id=person.organization_id, user_id=person.user_id, kind="import", **values)
        db.session.add(job)
        db.session.commit()
        return job


def change(job: Job, **values: Any) -> None:
    db.session.execute(db.update(Job).where(Job.id == job.id).values(**values))
    db.session.commit()


def data_in(piece: bytes) -> Any:
    [line] = [line for line in piece.splitlines() if line.startswith(b"data: ")]
    return json.loads(line.removeprefix(b"data: "))


@pytest.fixture
def watch(ada: Api, context: Flask) -> JobWatch:
    """Ada's watch of a running job, whose state she has seen."""
    job = add_job(ada, status="running")
    session_id = db.session.scalar(text("SELECT id FROM sessions"))
    watch, _ = watch_job(Actor(ada.user_id, ada.organization_id, "owner", session_id=session_id), job.id, "")
    assert poll(watch) == (b"", False)
    return watch


def poll(watch: JobWatch) -> tuple[bytes, bool]:
    [update] = poll_jobs([watch])
    return update.piece, update.is_last


def test_the_first_event_is_the_job(ada: Api) -> None:
    job = add_job(ada, status="running", done=3, total=7)
    response = ada.get(f"/jobs/{job.id}/events")
    assert response.status_code == 200
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.data.startswith(b"retry: 2000\n\nid: ")
    assert data_in(response.data) == ada.get(f"/jobs/{job.id}").json


def test_whoever_has_seen_the_last_event_is_told_not_to_come_back(ada: Api) -> None:
    job = add_job(ada, status="succeeded", result={"found": 1})
    [line] = [line for line in ada.get(f"/jobs/{job.id}/events").data.splitlines() if line.startswith(b"id: ")]
    seen = {"Last-Event-ID": line.removeprefix(b"id: ").decode()}
    response = ada.request("GET", f"/jobs/{job.id}/events", headers=seen)
    assert (response.status_code, response.data) == (204, b"")
    assert ada.request("GET", f"/jobs/{job.id}/events", headers={"Last-Event-ID": "other"}).status_code == 200


def test_an_event_that_was_seen_is_not_sent_again(ada: Api) -> None:
    job = add_job(ada, status="running")
    [line] = [line for line in ada.get(f"/jobs/{job.id}/events").data.splitlines() if line.startswith(b"id: ")]
    seen = {"Last-Event-ID": line.removeprefix(b"id: ").decode()}
    assert ada.request("GET", f"/jobs/{job.id}/events", headers=seen).data == b"retry: 2000\n\n"


def test_events_are_for_who_may_read_the_job(ada: Api, bob: Api) -> None:
    job = add_job(ada)
    assert bob.get(f"/jobs/{job.id}/events").status_code == 404
    token = ada.post("/auth/tokens", {"name": "script", "scopes": ["bookmarks:read"]}).json["token"]
    assert Api(ada.app, token=token).get(f"/jobs/{job.id}/events").status_code == 403
    assert Api(ada.app).get(f"/jobs/{job.id}/events").status_code == 401


def test_a_large_result_comes_with_the_last_event_only(ada: Api) -> None:
    result = {"failures": ["a" * 100] * 1000}
    running = add_job(ada, status="running", result=result)
    assert data_in(ada.get(f"/jobs/{running.id}/events").data)["result"] == {"truncated": True}
    ended = add_job(ada, status="failed", result=result)
    assert data_in(ada.get(f"/jobs/{ended.id}/events").data)["result"] == result


def test_a_poll_sends_what_has_changed_and_the_end(watch: JobWatch) -> None:
    job = db.session.get_one(Job, watch.job_id)
    change(job, done=5)
    piece, is_last = poll(watch)
    assert (data_in(piece)["progress"]["done"], is_last) == (5, False)
    change(job, lease_until=db.func.now())
    assert poll(watch) == (b"", False), "what the representation does not show is no event"
    change(job, status="succeeded")
    piece, is_last = poll(watch)
    assert (data_in(piece)["status"], is_last) == ("succeeded", True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sessions SET revoked_at = now()",
        "UPDATE sessions SET expires_at = now()",
        "DELETE FROM sessions",
        "UPDATE users SET disabled_at = now()",
        "DELETE FROM memberships",
        "DELETE FROM jobs",
    ],
)
def test_a_lost_right_ends_the_stream(watch: JobWatch, statement: str) -> None:
    db.session.execute(text(statement))
    db.session.commit()
    assert poll(watch) == (b"", True)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM api_tokens",
        "UPDATE api_tokens SET expires_at = now()",
        "UPDATE api_tokens SET scopes = '{bookmarks:read}'",
    ],
)
def test_a_stream_by_an_api_token_ends_with_it(ada: Api, context: Flask, statement: str) -> None:
    job = add_job(ada, status="running")
    token = ada.post("/auth/tokens", {"name": "script", "scopes": ["jobs:read"]}).json
    watch, _ = watch_job(Actor(ada.user_id, ada.organization_id, "owner", token_id=token["id"]), job.id, "")
    assert poll(watch) == (b"", False)
    db.session.execute(text(statement))
    db.session.commit()
    assert poll(watch) == (b"", True)


def test_a_poll_takes_one_statement_for_all_streams_and_one_more_where_jobs_have_changed(
    watch: JobWatch, sql: SqlCounter
) -> None:
    watches = [watch, *(JobWatch(watch.job_id, watch.actor, watch.event_id, watch.version) for _ in range(99))]
    with sql.at_most(1):
        assert not any(update.piece for update in poll_jobs(watches))
    change(db.session.get_one(Job, watch.job_id), done=5)
    with sql.at_most(2):
        assert len({update.piece for update in poll_jobs(watches)}) == 1
