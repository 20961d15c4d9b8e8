"""Slow statements are logged with what they ran for, without values, and not without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from loguru import logger
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from backend.extensions import db
from backend.observability.log_context import log_context
from backend.observability.slow_statements import SlowStatementLog, log_slow_statements
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
SLEEP = text("SELECT pg_sleep(0.03),\n       :secret")


@dataclass
class _Lines:
    """Lines of slow statements, and a way to begin to write them."""

    records: list[dict[str, Any]]
    watch: Callable[..., SlowStatementLog]


@pytest.fixture
def slow(context: Flask) -> Iterator[_Lines]:
    """What is logged of slow statements; the engine is left as it was."""
    records: list[dict[str, Any]] = []

    def note(message: Any) -> None:
        if message.record["message"] == "slow statement":
            records.append(message.record["extra"])

    watching: list[SlowStatementLog] = []

    def watch(*arguments: Any) -> SlowStatementLog:
        watching.append(SlowStatementLog(*arguments))
        watching[-1].watch()
        return watching[-1]

    sink = logger.add(note)
    yield _Lines(records, watch)
    logger.remove(sink)
    db.session.rollback()
    for log in watching:
        event.remove(db.engine, "after_cursor_execute", log._end_statement)
        event.remove(db.engine, "handle_error", log._end_failed_statement)


def test_a_slow_statement_is_logged_without_its_values(slow: _Lines) -> None:
    slow.watch(0.02)
    with log_context(request_id="of-the-test", job="a.job"):
        db.session.execute(SLEEP, {"secret": "a private text"})
    [line] = slow.records
    assert line["statement"] == "SELECT pg_sleep(0.03), %(secret)s"
    assert line["duration_ms"] >= 30
    assert (line["request_id"], line["job"]) == ("of-the-test", "a.job")
    assert "a private text" not in str(line)
    assert not {"sqlstate", "dropped"} & set(line)


def test_a_statement_of_a_request_has_its_route(ada: Api, slow: _Lines) -> None:
    slow.watch(0.0)
    saved = ada.save("https://example.org/a")
    slow.records.clear()
    ada.request("GET", f"/bookmarks/{saved['id']}", headers={"X-Request-ID": "of-the-test"})
    assert slow.records
    for line in slow.records:
        assert line["route"] == "/api/v1/bookmarks/<id:bookmark_id>"
        assert line["request_id"] == "of-the-test"


def test_a_statement_that_was_cut_off_is_logged_too(slow: _Lines) -> None:
    slow.watch(0.02)
    db.session.execute(text("SET LOCAL statement_timeout = 50"))
    with pytest.raises(DBAPIError):
        db.session.execute(text("SELECT pg_sleep(9)"))
    [line] = slow.records
    assert line["sqlstate"] == "57014"


def test_a_fast_statement_is_not_logged_even_if_it_fails(slow: _Lines) -> None:
    slow.watch(3_600.0)
    db.session.execute(text("SELECT 1"))
    with pytest.raises(DBAPIError):
        db.session.execute(text("SELECT nothing"))
    assert slow.records == []


def test_lines_are_bounded_and_those_that_are_missing_counted(slow: _Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    log = slow.watch(0.0, 2)
    for _ in range(5):
        db.session.execute(text("SELECT 1"))
    assert len(slow.records) == 2
    monkeypatch.setattr(log, "_minute_began", -1_000.0)
    db.session.execute(text("SELECT 1"))
    assert [line.get("dropped") for line in slow.records] == [None, None, 3]


def test_a_statement_of_many_rows_is_cut(slow: _Lines) -> None:
    slow.watch(0.0)
    db.session.execute(text(f"SELECT 1 WHERE 1 IN ({'1, ' * 5_000}1)"))
    [line] = slow.records
    assert len(line["statement"]) <= 1_000


def test_without_a_threshold_nothing_listens(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    listening: list[Any] = []
    monkeypatch.setattr(event, "listen", lambda *arguments: listening.append(arguments))
    log_slow_statements(migrated_app, 0)
    assert listening == []
    log_slow_statements(migrated_app, 1)
    assert len(listening) == 2
