"""What two measurements of the write-ahead log say about a replica, and what it needs to be asked."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from backend.actor import Actor
from backend.app import create_app
from backend.database import DatabaseConnections
from backend.extensions import db
from backend.http.response_cache.ages import age_of_last, names_of
from backend.http.response_cache.invalidation import invalidate, invalidate_everything, person_invalidation
from backend.redis.client import resilient_redis
from backend.redis.resilient import ResilientRedis
from backend.replica.monitor import NO_ANSWER, NO_PRIMARY, NO_REPLICA, ReplicaMonitor
from backend.replica.service import Replica, bound_replica
from backend.replica.timed_connection import TimedConnection
from config import ConfigurationError, Settings, load_settings
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = pytest.mark.integration


class ScriptedAnswers(TimedConnection):
    """Answers of a server whose log stands where a test says: a real one stands nowhere exactly."""

    def __init__(self, *row: Any) -> None:
        self.row: tuple[Any, ...] | None = row

    def ask(self, statement: str) -> tuple[Any, ...]:
        if self.row is None:
            raise psycopg2.OperationalError("away")
        return self.row


class Measured:
    """A monitor whose thread does not run, and the answers that it gets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.primary, self.replica = ScriptedAnswers(100, 50, 7), ScriptedAnswers(100, 49, 7, True)
        self.losses: list[None] = []
        self.monitor = ReplicaMonitor(
            self.primary, self.replica, most_seconds=10, on_loss=lambda: self.losses.append(None)
        )
        monkeypatch.setattr(self.monitor, "_start", lambda: None)

    def measure(self, position: int, replayed: int, *, next_id: int = 50, ended: int = 49) -> float | None:
        self.primary.row, self.replica.row = (position, next_id, 7), (replayed, ended, 7, True)
        self.monitor.measure()
        return self.monitor.lag()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    return Measured(monkeypatch)


def test_the_lag_begins_at_the_last_position_that_was_replayed(measured: Measured) -> None:
    assert measured.monitor.lag() is None
    assert measured.measure(100, 90) is None
    first = measured.measure(110, 105)
    assert first is not None
    time.sleep(0.05)
    later = measured.measure(120, 105)
    assert later is not None
    assert later >= first + 0.05
    caught_up = measured.measure(120, 120)
    assert caught_up is not None
    assert caught_up < 0.05


def test_where_all_transactions_have_ended_the_rest_of_the_log_does_not_count(measured: Measured) -> None:
    assert measured.measure(120, 105) is None
    first = measured.measure(130, 105, next_id=50, ended=50)
    assert first is not None
    time.sleep(0.05)
    later = measured.measure(140, 105, next_id=52, ended=51)
    assert later is not None
    assert later >= first + 0.05
    caught_up = measured.measure(150, 105, next_id=52, ended=52)
    assert caught_up is not None
    assert caught_up < 0.05


def test_another_server_at_one_of_the_addresses_is_measured_from_the_beginning(measured: Measured) -> None:
    assert measured.measure(100, 100) is not None
    assert measured.measure(50, 40) is None
    assert measured.measure(60, 55) is not None
    assert measured.measure(70, 30) is None


def test_what_does_not_answer_is_not_trusted(measured: Measured) -> None:
    measured.measure(100, 100)
    measured.primary.row = None
    measured.monitor.measure()
    assert measured.monitor.fault == NO_PRIMARY
    assert measured.monitor.lag() is not None
    assert measured.losses == []
    measured.primary.row, measured.replica.row = (100, 50, 7), None
    measured.monitor.measure()
    assert (measured.monitor.fault, measured.monitor.lag(), len(measured.losses)) == (NO_ANSWER, None, 1)
    for row in ((None, 49, 7, False), (None, 49, 7, True), (100, 49, 8, True)):
        measured.measure(100, 100)
        measured.replica.row = row
        measured.monitor.measure()
        assert (measured.monitor.fault, measured.monitor.lag()) == (NO_REPLICA, None)
    measured.measure(100, 100)
    measured.monitor.pause()
    assert measured.monitor.lag() is None


def test_a_replica_holds_what_is_older_than_its_lag(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = Replica(create_engine("postgresql+psycopg2://"), measured.primary, measured.replica, 10)
    monkeypatch.setattr(replica, "monitor", measured.monitor)
    assert not replica.holds(100)
    measured.measure(100, 100)
    assert replica.holds(1)
    assert not replica.holds(0.2)
    monkeypatch.setattr(measured.monitor, "lag", lambda: 11.0)
    assert not replica.is_usable
    assert not replica.holds(100)
    assert replica.fault() == "The replica is more than 10 s behind."


def test_the_age_of_a_change_is_that_of_the_last_generation(context: Flask, ada: Api, bob: Api) -> None:
    names = names_of(Actor(ada.user_id, ada.organization_id, "owner"))
    time.sleep(0.3)
    unchanged = age_of_last(names)  # Since her account was made.
    assert unchanged is not None
    assert unchanged >= 0.3
    time.sleep(0.01)
    invalidate([bob.organization_id], [bob.user_id])
    assert (age_of_last(names) or 0) > unchanged
    for change in (
        lambda: invalidate([ada.organization_id]),
        lambda: resilient_redis().invalidate(person_invalidation(ada.user_id)),
        invalidate_everything,
    ):
        time.sleep(0.2)
        before = age_of_last(names)
        change()
        after = age_of_last(names)
        assert before is not None
        assert after is not None
        assert after < 0.15 < before


def test_without_redis_no_age_is_known(no_redis: ResilientRedis, context: Flask) -> None:
    assert age_of_last(["generation:all"]) is None


def test_a_question_to_a_server_is_answered_or_fails_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = TimedConnection(DatabaseConnections(settings.database_url, settings))
    assert connection.ask("SELECT 1") == (1,)
    monkeypatch.setattr("backend.replica.timed_connection.ANSWER_SECONDS", 0.1)
    with pytest.raises(psycopg2.OperationalError, match="in time"):
        connection.ask("SELECT pg_sleep(5)")
    monkeypatch.undo()
    assert connection.ask("SELECT 2") == (2,)
    connection.close()


def test_a_session_reads_the_replica_for_a_while_and_then_the_primary(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The primary under another address: it is told apart by its engine.
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    app = create_app(settings.model_copy(update={"DATABASE_REPLICA_URL": f"{settings.DATABASE_URL}&sslmode=disable"}))
    with app.app_context():
        replica = bound_replica()
        assert replica is not None
        primary_counter, replica_counter = SqlCounter(db.engine), SqlCounter(db.engines["replica"])
        with replica.reading():
            db.session.execute(text("SELECT 1"))
        assert (replica_counter.statements, primary_counter.statements) == (["SELECT 1"], [])
        db.session.execute(text("SELECT 2"))
        assert (replica_counter.statements, primary_counter.statements) == (["SELECT 1"], ["SELECT 2"])
        db.session.remove()
        replica.monitor.measure()
        assert replica.monitor.fault == NO_REPLICA
        for engine in db.engines.values():
            engine.dispose()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (
            {"DATABASE_REPLICA_URL": "postgresql://h/fuze"},
            "DATABASE_REPLICA_URL is DATABASE_URL: a replica is another server",
        ),
        ({"DATABASE_REPLICA_URL": "mysql://h/fuze"}, "DATABASE_REPLICA_URL: is not a postgresql:// address"),
        ({"DATABASE_REPLICA_MAX_LAG_SECONDS": "0"}, "DATABASE_REPLICA_MAX_LAG_SECONDS: .*greater than or equal to 1"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        load_settings(_env_file=None, DATABASE_URL="postgresql://h/fuze", REDIS_URL="redis://h", **wrong)
