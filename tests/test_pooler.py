"""Through a pooler in transaction mode: the application works and keeps its time-outs, migrations go past it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from backend.app import create_app
from backend.extensions import db
from backend.local_stack.postgres import EmbeddedPostgres
from config import Settings
from tests.support.api import Api
from tests.support.factories import make_person
from tests.support.pooler import PGBOUNCER, pooler, readable_directory
from tests.support.stack import backend

pytestmark = [
    pytest.mark.integration,
    pytest.mark.processes,
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed"),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    with readable_directory("pooled") as directory, EmbeddedPostgres(directory, durable=False) as server:
        done = backend("db", "upgrade", DATABASE_MIGRATION_URL=server.owner_url)
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture(scope="module", params=["", "ignore_startup_parameters = options"], ids=["refuses", "ignores"])
def through_pooler(
    request: pytest.FixtureRequest, settings: Settings, postgres: EmbeddedPostgres
) -> Iterator[tuple[Flask, str]]:
    with pooler(postgres.socket_dir, postgres.user, request.param) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.app.track_app", lambda app: None)
        more = {"DATABASE_URL": url, "DATABASE_STATEMENT_TIMEOUT_MS": 700}
        app = create_app(settings.model_copy(update=more))
        yield app, url
        with app.app_context():
            db.engine.dispose()


def test_people_save_and_read_through_a_pooler(through_pooler: tuple[Flask, str]) -> None:
    app, url = through_pooler
    person: Api = make_person(app, f"ada{make_url(url).port}")
    made = person.post("/bookmarks", {"url": "https://example.org/a", "title": "A"})
    assert made.status_code == 201
    assert person.get(f"/bookmarks/{made.json['id']}").json["title"] == "A"
    assert person.get("/search", q="A").status_code == 200


def test_every_transaction_has_the_time_outs_whichever_connection_it_gets(through_pooler: tuple[Flask, str]) -> None:
    app, url = through_pooler
    spoiled = psycopg2.connect(url)  # What somebody else left on a connection of the server must not matter.
    spoiled.autocommit = True
    spoiled.cursor().execute("SET statement_timeout = 0")
    spoiled.close()

    def shown(_: int) -> list[str]:
        with app.app_context():
            names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit", "TimeZone")
            found = [db.session.scalar(text(f"SHOW {name}")) for name in names]
            db.session.remove()
            return found

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(shown, range(40)))
    assert found == [["700ms", "5s", "1min", "off", "UTC"]] * 40
    with app.app_context(), pytest.raises(OperationalError, match="statement timeout"):
        db.session.execute(text("SELECT pg_sleep(5)"))


def test_a_pooler_is_told_apart_from_a_server(
    settings: Settings, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    app = create_app(settings.model_copy(update={"DATABASE_URL": postgres.application_url}))
    sent: list[str] = []
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        sent.append(str(db.session.scalar(text("SHOW lock_timeout"))))
        db.session.remove()
        db.engine.dispose()
    assert sent == ["5s"]
    assert not app.extensions["database_connections"].is_pooled


@pytest.mark.parametrize("command", ["upgrade", "downgrade"])
def test_migrations_through_a_pooler_are_refused_in_one_line(postgres: EmbeddedPostgres, command: str) -> None:
    with pooler(postgres.socket_dir, postgres.user) as url:
        refused = backend("db", command, DATABASE_URL=url)
        assert refused.returncode == 2
        assert [line for line in refused.stderr.splitlines() if line.startswith("Error: ")] == [
            "Error: a pooler is in the way of migrations: set DATABASE_MIGRATION_URL to PostgreSQL's own address"
        ]
        assert "Traceback" not in refused.stderr
        done = backend("db", "upgrade", DATABASE_URL=url, DATABASE_MIGRATION_URL=postgres.owner_url)
        assert done.returncode == 0, done.stderr
