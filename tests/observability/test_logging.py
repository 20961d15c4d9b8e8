"""What is logged, in which form, and what never is (R-LOG)."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from loguru import logger
from pydantic import SecretStr
from sqlalchemy import text

from backend.extensions import db
from backend.observability import logging as own_logging
from backend.observability.line_sinks import lines_of, no_pattern
from backend.observability.logging import configure_logging
from config import Settings
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import eventually

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
PASSWORD = "Tr0ub4dor-and-three"
WRONG = "Wr0ng-horse-battery"


@pytest.fixture
def lines(app: Flask) -> Iterator[list[dict[str, Any]]]:
    """What is logged during the test, as JSON lines."""
    written: list[str] = []
    sink = logger.add(lambda message: written.append(lines_of(message, "json")), level="DEBUG", format=no_pattern)
    yield _Parsed(written)
    logger.remove(sink)


class _Parsed(list[dict[str, Any]]):
    """Reads the lines when they are looked at."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (json.loads(line) for line in self._written)

    def __str__(self) -> str:
        return "".join(self._written)


def test_every_request_leaves_one_line_that_says_who_asked_what(ada: Api, lines: list[dict[str, Any]]) -> None:
    saved = ada.save("https://example.org/a")
    ada.request("GET", f"/bookmarks/{saved['id']}", headers={"X-Request-ID": "of-the-test"})
    [line] = [line for line in lines if line.get("request_id") == "of-the-test"]
    assert line["level"] == "INFO"
    assert line["method"] == "GET"
    assert line["route"] == "/api/v1/bookmarks/<id:bookmark_id>"
    assert line["status"] == 200
    assert line["user_id"] == ada.user_id
    assert line["organization_id"] == ada.organization_id
    assert line["ip"] == "127.0.0.1"
    assert 0 < line["duration_ms"] < 10_000


def test_what_no_route_answers_is_logged_too(anonymous: Api, lines: list[dict[str, Any]]) -> None:
    anonymous.get("/nothing")
    anonymous.post("/auth/login", {"login": "x" * 2 * 1024 * 1024})
    assert [(line["route"], line["status"], line["user_id"]) for line in lines] == [
        (None, 404, None),
        ("/api/v1/auth/login", 413, None),
    ]


def test_times_are_utc(anonymous: Api, lines: list[dict[str, Any]]) -> None:
    before = datetime.now(UTC)
    anonymous.get("/api/health/live")
    [line] = lines
    assert line["timestamp"].endswith("Z")
    assert before <= datetime.fromisoformat(line["timestamp"]) <= datetime.now(UTC)


def test_a_failure_is_logged_whole_under_the_request_id_that_its_answer_shows(
    ada: Api, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the reason")

    monkeypatch.setitem(ada.app.view_functions, "profile.read_profile", fail)
    response = ada.get("/profile")
    [line] = [line for line in lines if line["level"] == "ERROR"]
    assert line["request_id"] == response.json["request_id"]
    assert "RuntimeError: the reason" in line["exception"]
    assert "in fail" in line["exception"]


def test_a_failed_statement_is_logged_without_its_values(
    ada: Api, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        db.session.execute(text("SELECT :password FROM no_such_table"), {"password": PASSWORD})

    monkeypatch.setitem(ada.app.view_functions, "profile.read_profile", fail)
    assert ada.get("/profile").status_code == 500
    assert "no_such_table" in str(lines)
    assert PASSWORD not in str(lines)


def test_other_libraries_log_the_same_way(app: Flask, lines: list[dict[str, Any]]) -> None:
    logging.getLogger("a.library").warning("heard {} of %s", "it")
    [line] = lines
    assert (line["level"], line["message"]) == ("WARNING", "heard {} of it")


@pytest.mark.parametrize("message", ["two\nlines", "<red>{braces}</red>", 'quote " and \\', "\x00\u2028é"])
def test_a_message_is_one_line_whatever_it_holds(app: Flask, lines: list[dict[str, Any]], message: str) -> None:
    logger.bind(more=message).info("{}", message)
    assert str(lines).count("\n") == 1
    [line] = lines
    assert (line["message"], line["more"]) == (message, message)


@pytest.fixture
def configured(settings: Settings) -> Iterator[Settings]:
    """Settings to change logging with; afterwards it is as it was."""
    yield settings
    configure_logging(settings)


def test_logs_go_to_a_file_of_the_day_when_asked_for(configured: Settings, tmp_path: Path) -> None:
    configure_logging(configured.model_copy(update={"LOG_DIR": tmp_path, "LOG_LEVEL": "INFO"}))
    logger.info("kept")
    logger.debug("dropped")
    [path] = tmp_path.iterdir()
    assert path.name == f"app_{datetime.now(UTC):%Y-%m-%d}.log"
    [line] = path.read_text().splitlines()
    assert json.loads(line)["message"] == "kept"


def test_people_read_text_and_machines_read_json(configured: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(configured.model_copy(update={"ENVIRONMENT": "development", "LOG_LEVEL": "INFO"}))
    logger.bind(status=200).info("for people")
    configure_logging(configured.model_copy(update={"ENVIRONMENT": "production", "LOG_LEVEL": "INFO"}))
    logger.bind(status=200).info("for machines")
    for_people, for_machines = capfd.readouterr().err.splitlines()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z INFO +for people .*'status': 200", for_people)
    assert json.loads(for_machines)["status"] == 200


@pytest.mark.parametrize(("color", "is_colored"), [("always", True), ("never", False), ("auto", False)])
def test_text_is_coloured_on_terminals_or_when_asked_for(
    configured: Settings, capfd: pytest.CaptureFixture[str], color: str, is_colored: bool
) -> None:
    configure_logging(configured.model_copy(update={"ENVIRONMENT": "development", "LOG_COLOR": color}))
    logger.warning("for people")
    assert ("\x1b[33mWARNING for people\x1b[0m" in capfd.readouterr().err) == is_colored


def test_below_info_there_are_no_access_lines(
    configured: Settings, anonymous: Api, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_logging, "_has_access_lines", False)
    assert anonymous.get("/api/health/live").status_code == 200
    assert list(lines) == []


def test_of_probes_that_succeed_only_some_are_logged(
    anonymous: Api, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_logging, "_probes_every", 3)
    monkeypatch.setattr(own_logging, "_probes", count())
    for _ in range(4):
        anonymous.get("/api/health/live")
    anonymous.get("/api/health/nothing")
    anonymous.get("/profile")
    assert [(line["status"], line.get("sampled")) for line in lines] == [(200, 3), (200, 3), (404, None), (401, None)]


def test_every_line_of_a_request_says_whose_it_is(
    ada: Api, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def view(**_: Any) -> tuple[str, int]:
        logger.bind(user_id="of the caller").warning("meanwhile")
        raise RuntimeError

    monkeypatch.setitem(ada.app.view_functions, "profile.read_profile", view)
    request_id = ada.get("/profile").headers["X-Request-ID"]
    meanwhile, failed, _ = lines
    for line in (meanwhile, failed):
        assert (line["request_id"], line["route"], line["method"]) == (request_id, "/api/v1/profile", "GET")
    assert meanwhile["user_id"] == "of the caller"


def test_log_lines_hide_secrets_in_messages_fields_and_exceptions(app: Flask, lines: list[dict[str, Any]]) -> None:
    try:
        raise ValueError(f"cannot open postgresql://fuze:{PASSWORD}@db/fuze") from KeyError(f"Bearer {PASSWORD}")
    except ValueError as error:
        logger.opt(exception=error).bind(headers={"Cookie": PASSWORD}, api_key=PASSWORD).error(
            "with token={}", PASSWORD
        )
    [line] = lines
    assert PASSWORD not in str(lines)
    assert "ValueError: cannot open postgresql://fuze:[hidden]@db/fuze" in line["exception"]
    assert line["api_key"] == "[hidden]"


def test_no_value_of_a_variable_is_logged_with_an_exception(app: Flask, lines: list[dict[str, Any]]) -> None:
    def fail(innocent: str) -> None:
        raise RuntimeError("the reason")

    try:
        fail("a value of a variable")
    except RuntimeError as error:
        logger.opt(exception=error).error("it failed")
    assert "the reason" in str(lines)
    assert "a value of a variable" not in str(lines).replace('fail(\\"a value of a variable\\")', "")


def test_the_settings_own_secrets_are_hidden_wherever_they_stand(
    configured: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    password = "pa55 w0rd/of the server"
    changes = {
        "LLM_API_KEY": SecretStr("an-unusual-provider-key"),
        "DATABASE_URL": f"postgresql://fuze:{quote(password, safe='')}@db/fuze",
        "ENVIRONMENT": "production",
    }
    configure_logging(configured.model_copy(update=changes))
    logger.info("the provider refuses an-unusual-provider-key; {} and {} too", password, quote(password, safe=""))
    line = json.loads(capfd.readouterr().err)
    assert line["message"] == "the provider refuses [hidden]; [hidden] and [hidden] too"


@pytest.mark.processes
class TestTheRealServer:
    """A whole session, with all that goes wrong in one, and what the server wrote meanwhile."""

    def test_it_writes_json_lines_without_a_single_secret(self, app: Flask, live: LiveServer) -> None:
        start = len(live.logged())
        secrets = _a_session_full_of_secrets(live)
        live.request("GET", "/api/health/live", X_Request_ID="the-end")
        assert eventually(lambda: "the-end" in live.logged())
        written = live.logged()[start:]
        assert [line for line in written.splitlines() if any(s in line for s in secrets)] == []
        assert "Bearer" not in written
        assert "eyJ" not in written
        parsed = [json.loads(line) for line in written.splitlines()]
        access = [line for line in parsed if "route" in line]
        assert {200, 201, 204, 400, 401, 409, 415, 422} <= {line["status"] for line in access}
        for line in access:
            assert {"timestamp", "level", "request_id", "user_id", "organization_id", "method", "duration_ms"} <= set(
                line
            )
            assert line["timestamp"].endswith("Z")


def _a_session_full_of_secrets(live: LiveServer) -> list[str]:
    account = {"email": "Logged@example.org", "username": "logged", "password": PASSWORD}
    session = live.send("POST", "/api/v1/auth/register", account).json
    token, refresh = session["access_token"], session["refresh_token"]
    live.send("POST", "/api/v1/auth/register", account)
    live.send("POST", "/api/v1/auth/register", {**account, "username": PASSWORD, "surprise": PASSWORD})
    live.send("POST", "/api/v1/auth/register", {"password": [PASSWORD]})
    live.send("POST", "/api/v1/auth/login", {"login": "logged", "password": WRONG})
    live.send("POST", "/api/v1/auth/login", {"login": WRONG, "password": WRONG})
    live.request("POST", "/api/v1/auth/login", f'{{"password": "{PASSWORD}"', Content_Type="application/json")
    live.request("POST", "/api/v1/auth/login", f"password={PASSWORD}", Content_Type="text/plain")
    live.request("GET", f"/api/v1/profile?token={token}", Authorization=f"Bearer {token}")
    live.request("GET", "/api/v1/profile", Authorization=f"Bearer {token}", Cookie=f"refresh={refresh}")
    live.request("GET", "/api/v1/profile", Authorization=f"Bearer {token}x")
    live.request("GET", "/api/v1/profile", Authorization=f"Basic {PASSWORD}")
    _send_rubbish(live, f"GET / HTTP/1.1\r\nAuthorization : Bearer {token}\r\n\r\n")
    _send_rubbish(live, f"GET / HTTP/1.1\r\nAuthorization Bearer {token}\r\n\r\n")
    _send_rubbish(live, f"GET /{PASSWORD} {PASSWORD}\r\n\r\n")
    renewed = live.send("POST", "/api/v1/auth/refresh", {"refresh_token": refresh}).json
    live.send("POST", "/api/v1/auth/logout", {}, token=renewed["access_token"])
    again = live.send("POST", "/api/v1/auth/login", {"login": "logged", "password": PASSWORD}).json
    live.send("POST", "/api/v1/auth/refresh", {"refresh_token": refresh})
    tokens = [found[kind] for found in (session, renewed, again) for kind in ("access_token", "refresh_token")]
    return [PASSWORD, WRONG, *tokens, *(secret.upper() for secret in tokens)]


def _send_rubbish(live: LiveServer, request: str) -> None:
    with socket.create_connection((live.host, live.port), timeout=10) as connection:
        connection.sendall(request.encode())
        connection.recv(65536)
