"""/jobs: watched and cancelled."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update

from backend.extensions import db
from backend.jobs.models import Job
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def job(ada: Api) -> dict[str, Any]:
    """A queued job of Ada's."""
    saved = ada.save("https://example.org/a")
    answer = ada.post(f"/bookmarks/{saved['id']}/capture", headers={"X-Request-ID": "asked-by-me"})
    assert answer.status_code == 202
    queued: dict[str, Any] = answer.json
    return queued


def put(job_id: str, **values: Any) -> None:
    db.session.execute(update(Job).where(Job.id == job_id).values(**values))
    db.session.commit()


def test_a_job_shows_all_that_the_contract_names(ada: Api, job: dict[str, Any]) -> None:
    assert set(job) == {
        "id", "kind", "status", "progress", "result", "error", "attempts", "created_at", "started_at", "finished_at",
    }  # fmt: skip
    assert job["kind"] == "capture"
    assert job["status"] == "queued"
    assert job["progress"] == {"done": 0, "total": 0, "message": ""}
    assert [job[name] for name in ("result", "error", "started_at", "finished_at")] == [None] * 4
    assert job["attempts"] == 0
    assert job["created_at"].endswith("Z")
    assert ada.get(f"/jobs/{job['id']}").json == job
    assert ada.get("/jobs").json["items"] == [job]


def test_a_job_remembers_which_request_asked_for_it(job: dict[str, Any], context: Flask) -> None:
    assert db.session.get_one(Job, job["id"]).request_id == "asked-by-me"


def test_progress_result_and_error_are_shown(ada: Api, job: dict[str, Any], context: Flask) -> None:
    put(job["id"], done=3, total=7, message="Reading", status="failed", error="No page.", result={"a": [1]}, attempts=2)
    shown = ada.get(f"/jobs/{job['id']}").json
    assert shown["progress"] == {"done": 3, "total": 7, "message": "Reading"}
    assert [shown[name] for name in ("status", "error", "result", "attempts")] == ["failed", "No page.", {"a": [1]}, 2]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_that_has_not_ended_is_cancelled(ada: Api, job: dict[str, Any], context: Flask, status: str) -> None:
    put(job["id"], status=status)
    answer = ada.delete(f"/jobs/{job['id']}")
    assert answer.status_code == 200
    assert answer.json["status"] == "cancelled"
    assert answer.json["finished_at"].endswith("Z")
    assert ada.get(f"/jobs/{job['id']}").json == answer.json


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not(ada: Api, job: dict[str, Any], context: Flask, status: str) -> None:
    put(job["id"], status=status)
    assert ada.delete(f"/jobs/{job['id']}").status_code == 409
    assert ada.get(f"/jobs/{job['id']}").json["status"] == status


def test_jobs_are_listed_newest_first_or_oldest(ada: Api, job: dict[str, Any]) -> None:
    later = ada.post(f"/bookmarks/{ada.save('https://example.org/b')['id']}/capture").json
    assert [item["id"] for item in ada.get("/jobs").json["items"]] == [later["id"], job["id"]]
    assert [item["id"] for item in ada.get("/jobs", sort="created_at").json["items"]] == [job["id"], later["id"]]
    assert set(field_errors(ada.get("/jobs", sort="kind"))) == {"query.sort"}


def test_what_is_no_job_of_ones_own_is_404(ada: Api, bob: Api, job: dict[str, Any]) -> None:
    """R-AUTH 4."""
    for id_ in (job["id"], str(uuid4()), "1", "x", job["id"][:-1], job["id"] + "0"):
        assert bob.get(f"/jobs/{id_}").status_code == 404
        assert bob.delete(f"/jobs/{id_}").status_code == 404
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "queued"
    assert bob.get("/jobs").json["total"] == 0


def test_deleting_a_bookmark_for_good_leaves_its_job_to_be_seen(ada: Api, job: dict[str, Any]) -> None:
    ada.delete(f"/bookmarks/{ada.get('/bookmarks').json['items'][0]['id']}", permanent="true")
    assert ada.get(f"/jobs/{job['id']}").status_code == 200
