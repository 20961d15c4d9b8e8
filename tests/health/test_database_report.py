"""The report on the database names what is missing, useless, broken or bloated, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Connection, text

from backend.cli import database as commands
from backend.cli import main
from backend.cli.report_text import report_lines
from backend.extensions import Base, db
from backend.health.database_report import NOT_INSTALLED, database_report
from config import Settings

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
WRONG = """
    CREATE TABLE report_parents (id bigint PRIMARY KEY);
    CREATE TABLE report_rows (id bigint PRIMARY KEY, parent_id bigint REFERENCES report_parents, title text);
    CREATE INDEX report_titles ON report_rows (title);
    CREATE INDEX report_titles_again ON report_rows (title);
    CREATE INDEX report_descending ON report_rows (title DESC);
    CREATE INDEX report_broken ON report_rows (lower(title));
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'report_broken'::regclass;
    INSERT INTO report_rows SELECT n, NULL, n FROM generate_series(1, 1000) AS n;
    DELETE FROM report_rows WHERE id <= 500;
"""


@pytest.fixture
def wrong(context: Flask) -> Iterator[Connection]:
    """A table that has everything wrong; gone after the test."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(WRONG))
        connection.execute(text("ANALYZE report_rows"))
        yield connection
        connection.execute(text("DROP TABLE report_rows, report_parents"))


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows if row["name"].startswith(("report_", "fk_report", "report"))]


def test_what_is_wrong_is_named(wrong: Connection) -> None:
    connection = wrong
    connection.execute(text("UPDATE pg_class SET reltuples = 1000 WHERE oid = 'report_rows'::regclass"))
    found = database_report()
    assert _names(found["invalid_indexes"]) == ["report_broken"]
    assert [row["names"] for row in found["duplicate_indexes"]] == [["report_titles", "report_titles_again"]]
    assert _names(found["foreign_keys_without_index"]) == ["report_rows_parent_id_fkey"]
    assert set(_names(found["unused_indexes"])) == {"report_titles", "report_titles_again", "report_descending"}
    connection.execute(text("CREATE INDEX report_parent ON report_rows (parent_id) WHERE parent_id IS NOT NULL"))
    assert _names(database_report()["foreign_keys_without_index"]) == []


def test_the_tables_of_fuze_have_nothing_wrong_and_all_are_there(context: Flask) -> None:
    found = database_report()
    assert {row["name"] for row in found["tables"]} == {*Base.metadata.tables, "alembic_version"}
    assert found["foreign_keys_without_index"] == []
    assert found["invalid_indexes"] == []
    assert found["duplicate_indexes"] == []
    assert found["statements"] is None
    assert found["statements_fault"] == NOT_INSTALLED


def test_the_report_is_text_or_json(context: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(report_lines(database_report()))
    assert lines[0].startswith("Database fuze, ")
    assert "Invalid indexes: none" in lines
    assert f"Statements that took longest: unknown, {NOT_INSTALLED}" in lines
    assert any(line.split()[:2] == ["name", "rows"] for line in lines)
    assert max(map(len, lines)) < 300
    monkeypatch.setattr(commands, "configure_logging", lambda settings: None)
    monkeypatch.setattr(commands, "settings_with_database", lambda part: settings)
    shown = CliRunner().invoke(main, ["db", "report", "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["database"]["name"] == "fuze"


def test_statements_are_shown_on_one_line() -> None:
    row = {"calls": 1_234, "total_ms": 5.5, "mean_ms": 0.1, "rows": 7, "statement": "SELECT " + "x, " * 100}
    about = {"name": "fuze", "bytes": 2_000_000, "server": "18.4", "statistics_since": None}
    sections = {name: [] for name in ("tables", "indexes", "unused_indexes", "invalid_indexes")}
    empty = {"duplicate_indexes": [], "foreign_keys_without_index": []}
    lines = list(report_lines({"database": about, **sections, **empty, "statements": [row] * 21}))
    assert "Statements that took longest: the first 20 of 21" in lines
    assert lines[-1].startswith("  1,234  5.5")
    assert lines[-1].endswith("…")
    assert lines[0] == "Database fuze, 1.9 MB, PostgreSQL 18.4"
