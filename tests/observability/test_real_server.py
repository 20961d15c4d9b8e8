"""What a real server writes when its requests fail, and when nobody reads what it writes (R-LOG)."""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
from typing import Any

import pytest

from tests.support.api import PASSWORD
from tests.support.live import LiveServer, serving
from tests.support.log_fields import documented_fields
from tests.support.processes import UNMEASURED, eventually

pytestmark = [pytest.mark.processes, pytest.mark.requires_db]
SECRETS = {
    "password": PASSWORD,
    "api_key": "sk-a-secret-key-1234",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "token": "fz_" + "a1B2c3D4e5" * 4,
    "session_id": "0123456789abcdef-of-a-cookie",
}


class Reader:
    """Reads the other end of a server's standard error, unless it is told to stand still."""

    def __init__(self) -> None:
        self.readable, self.writable = os.pipe()
        self.written = b""
        self.may_read = threading.Event()
        self.may_read.set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while self.may_read.wait() and (piece := os.read(self.readable, 65_536)):
            self.written += piece

    def lines(self) -> list[dict[str, Any]]:
        """Every line so far: all are JSON."""
        return [json.loads(line) for line in self.written.decode().split("\n")[:-1]]

    def has(self, **fields: object) -> bool:
        return any(fields.items() <= line.items() for line in self.lines())


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def server(reader: Reader, production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    environment = {**production, **UNMEASURED, "LOG_DIR": "logs"}
    with (
        os.fdopen(reader.writable, "wb") as pipe,
        serving(tmp_path_factory.mktemp("failing"), environment, "tests.support.failing_app:app", pipe) as server,
    ):
        pipe.close()
        yield server


def send_secrets(server: LiveServer) -> str:
    headers = {
        "Content_Type": "application/json",
        "Authorization": f"Bearer {SECRETS['jwt']}",
        "Cookie": f"fuze_refresh={SECRETS['session_id']}; theme=dark",
        "X_Api_Key": SECRETS["token"],
    }
    body = {**SECRETS, "nested": [{"refresh_token": SECRETS["session_id"]}], "note": f"with {SECRETS['token']}"}
    path = f"/fail?access_token={SECRETS['session_id']}&note=Bearer%20{SECRETS['jwt']}"
    failed = server.request("POST", path, json.dumps(body), **headers)
    assert failed.status == 500
    return str(failed.json["request_id"])


def test_known_secrets_in_headers_bodies_urls_and_exceptions_are_in_no_line(server: LiveServer, reader: Reader) -> None:
    request_id = send_secrets(server)
    assert eventually(lambda: reader.has(request_id=request_id, status=500))
    own = [line for line in reader.lines() if line.get("request_id") == request_id]
    assert [line["message"].split(" ")[0] for line in own] == ["refused", "asked", "unexpected", "POST"]
    assert {line["logger"] for line in own} >= {"a.library", "backend.http.problems"}
    assert "ConnectionError: https://fuze:[hidden]@example.org/" in own[2]["exception"]
    assert "RuntimeError: failed with" in own[2]["exception"]
    [file] = (server.output.parent / "logs").iterdir()
    written = reader.written.decode() + file.read_text()
    assert written.count(request_id) >= 8
    assert [secret for secret in SECRETS.values() if secret in written] == []


def test_whatever_writes_to_standard_error_writes_lines(server: LiveServer, reader: Reader) -> None:
    assert server.request("POST", "/warn").status == 200
    assert eventually(lambda: reader.has(message="POST /warn 200"))
    lines = {line["message"]: line for line in reader.lines()}
    [warning] = [line for message, line in lines.items() if message.startswith("UserWarning: this warns\nof something")]
    assert (warning["level"], warning["logger"]) == ("WARNING", "warnings")
    assert lines["does not fit %d"]["logger"] == "a.library"
    assert "ZeroDivisionError" in lines["the thread dying ended by an exception"]["exception"]
    assert {line["process"] for line in reader.lines()} == {"web"}
    # What the routes of this test bind themselves.
    fields = {name for line in reader.lines() for name in line} - {"headers", "cookies", "body"}
    assert fields <= documented_fields()


def test_requests_go_on_while_nobody_reads_standard_error(server: LiveServer, reader: Reader) -> None:
    reader.may_read.clear()
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    for number in range(700):
        connection.request("GET", "/api/health/live", headers={"X-Request-ID": f"unread-{number}"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    # The file has all of them, and standard error what had room.
    [file] = (server.output.parent / "logs").iterdir()
    assert eventually(lambda: '"unread-699"' in file.read_text())
    assert {f"unread-{number}" for number in range(700)} <= set(re.findall(r"unread-\d+", file.read_text()))
    reader.may_read.set()
    assert eventually(lambda: any("nobody read them" in line["message"] for line in _nudged(connection, reader)))
    connection.close()
    assert 100 < len(set(re.findall(r"unread-\d+", reader.written.decode()))) < 700


def _nudged(connection: http.client.HTTPConnection, reader: Reader) -> list[dict[str, Any]]:
    """The lines, after one more request."""
    connection.request("GET", "/api/health/live")
    connection.getresponse().read()
    return reader.lines()
