"""Checks at the same time: one that hangs delays no other, and is not begun a second time."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from backend.extensions import db
from backend.health.parallel import ParallelChecks

pytestmark = pytest.mark.unit


@pytest.fixture
def app() -> Flask:
    app = Flask("checks")
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg2://127.0.0.1:9/none"
    db.init_app(app)
    return app


def test_a_check_that_hangs_is_left_out_and_begun_once(app: Flask) -> None:
    release, begun = threading.Event(), []

    def hang() -> str:
        begun.append(1)
        release.wait(30)
        return "late"

    checks = ParallelChecks(app)
    assert checks.run({"hung": hang, "well": lambda: "here"}, 0.5) == {"well": "here"}
    assert checks.run({"hung": hang}, 0.05) == {}
    assert begun == [1]
    release.set()
    assert checks.run({"hung": hang}, 30) == {"hung": "late"}


def test_checks_run_side_by_side(app: Flask) -> None:
    meeting = threading.Barrier(2)
    ended = ParallelChecks(app).run({name: lambda: meeting.wait(30) for name in ("one", "other")}, 30)
    assert sorted(ended.values()) == [0, 1]


def test_a_fault_of_a_check_is_raised_where_it_is_waited_for(app: Flask) -> None:
    def fail() -> None:
        raise LookupError("broken")

    checks = ParallelChecks(app)
    for _ in range(2):
        with pytest.raises(LookupError, match="broken"):
            checks.run({"broken": fail}, 30)
