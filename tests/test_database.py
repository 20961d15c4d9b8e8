"""Connections to PostgreSQL: those that it has closed are replaced before anything is sent over them."""

from __future__ import annotations

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from backend import database
from backend.extensions import db
from config import Settings

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
OWN_PROCESS = text("SELECT pg_backend_pid()")


@pytest.fixture(autouse=True)
def one_connection(context: Flask) -> None:
    """An empty pool: what a test lends it lends again."""
    db.engine.dispose()


def lent_process() -> int:
    """The server process behind the connection that the pool lends now."""
    process = db.session.scalar(OWN_PROCESS)
    db.session.remove()
    assert isinstance(process, int)
    return process


def raise_lost(_: object) -> None:
    raise psycopg2.OperationalError("the network is lost")


def test_a_connection_that_postgresql_has_closed_is_replaced(context: Flask, settings: Settings) -> None:
    before = lent_process()
    with create_engine(settings.database_url, poolclass=NullPool).connect() as other:
        assert other.scalar(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": before})
    assert lent_process() != before


def test_a_connection_that_was_lent_a_moment_ago_is_not_asked(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ASK_AFTER_SECONDS", 3_600)
    before = lent_process()
    monkeypatch.setattr(context.extensions["database_connections"]._dialect, "do_ping", raise_lost)
    assert lent_process() == before


def test_a_connection_that_was_idle_for_long_is_asked(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lent_process()
    monkeypatch.setattr(database, "ASK_AFTER_SECONDS", -1)
    assert lent_process() == before
    monkeypatch.setattr(context.extensions["database_connections"]._dialect, "do_ping", raise_lost)
    assert lent_process() != before
