"""A worker that is killed in the middle of an import: the next one goes on, and nothing is lost or counted twice."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from backend.extensions import db
from backend.local_stack.processes import inherited_environment
from config import Settings
from tests.support.api import Api
from tests.support.live import ROOT
from tests.transfer.conftest import Told, ask, assert_adds_up, run, told
from tests.transfer.json_lines import links

pytestmark = [pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
LINES = 8_000
# Of the lines, those that say of an earlier link what else there is to say.
REPEATED = 1_000


def start(settings: Settings, job_id: str) -> subprocess.Popen[bytes]:
    environment = {
        "ENVIRONMENT": "testing",
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
    }
    command = [sys.executable, "-m", "tests.transfer.import_process", job_id]
    return subprocess.Popen(command, cwd=ROOT, env=inherited_environment(**environment), stderr=subprocess.DEVNULL)


def kill_at(person: Api, process: subprocess.Popen[bytes], done: int) -> Told:
    """Kill the worker once so many lines are done; what is told of the job then."""
    while told(person, process.args[-1])["progress"]["done"] < done:  # type: ignore[index]
        assert process.poll() is None, "the import ended, or broke"
        time.sleep(0.05)
    process.kill()
    process.wait()
    return told(person, process.args[-1])  # type: ignore[index]


def end_lease(person: Api) -> None:
    with person.app.app_context():
        db.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
        db.session.commit()


def test_an_import_survives_the_sudden_death_of_its_worker_twice(ada: Api, settings: Settings) -> None:
    records = [*links(LINES - REPEATED), *links(REPEATED, tags=["again"])]
    job_id = ask(ada, records, capture="false")
    for done in (2_000, 5_000):
        job = kill_at(ada, start(settings, job_id), done)
        assert job["status"] == "running"
        assert_adds_up(job["result"])
        assert ada.get("/bookmarks").json["total"] == job["result"]["created"] == job["progress"]["done"]
        end_lease(ada)
    job = run(ada, job_id)
    assert job["status"] == "succeeded"
    assert job["progress"] == {"done": LINES, "total": LINES, "message": ""}
    result = job["result"]
    assert_adds_up(result)
    assert (result["found"], result["created"], result["duplicates"]) == (LINES, LINES - REPEATED, REPEATED)
    assert ada.get("/bookmarks").json["total"] == LINES - REPEATED
    assert ada.get("/bookmarks", tag="again").json["total"] == REPEATED
