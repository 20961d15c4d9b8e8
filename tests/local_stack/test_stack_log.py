"""What `up` prints and writes of its services, and of itself (R-LOG)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.local_stack.stack_log import printer_of
from config import Settings

pytestmark = [pytest.mark.unit]
PASSWORD = "postgresql://fuze:a-password@db/fuze"
OF_WEB = '{"timestamp":"2026-01-01T00:00:00.000000Z","level":"INFO","message":"GET / 404"}'


@pytest.fixture
def production(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"ENVIRONMENT": "production", "LOG_DIR": tmp_path})


def test_in_production_every_line_is_json(production: Settings) -> None:
    printed = printer_of(production, 9)
    assert printed("web", OF_WEB) == OF_WEB
    line = json.loads(printed("postgres", f"cannot reach {PASSWORD}\x1b[2J"))
    assert (line["logger"], line["message"]) == ("postgres", "cannot reach postgresql://fuze:[hidden]@db/fuze\x1b[2J")


def test_for_people_the_name_of_the_service_stands_before_the_line(settings: Settings) -> None:
    printed = printer_of(settings.model_copy(update={"LOG_DIR": None}), 9)
    assert printed("web", "GET / 404") == "web       | GET / 404"


def test_the_log_file_gets_what_nobody_else_writes_there(production: Settings, tmp_path: Path) -> None:
    printed = printer_of(production, 9)
    printed("fuze", "web ended with exit code 1, starting it again in 0.5 s")
    printed("web", OF_WEB)
    printed("redis", "ready")
    [path] = tmp_path.glob("app_*.log")
    assert [json.loads(line)["logger"] for line in path.read_text().splitlines()] == ["fuze", "redis"]


def test_a_log_file_that_cannot_be_written_stops_no_line(production: Settings, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    printed = printer_of(production.model_copy(update={"LOG_DIR": tmp_path / "taken"}), 9)
    assert json.loads(printed("fuze", "Stopping"))["message"] == "Stopping"
