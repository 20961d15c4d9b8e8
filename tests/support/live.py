"""The web server as it runs in production: gunicorn in a process of its own."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backend.local_stack.processes import inherited_environment, spawn, terminate
from tests.support.processes import eventually, free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What came back, byte for byte."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class LiveServer:
    """A server that listens on this machine, and the file that holds all it wrote."""

    host: str
    port: int
    output: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; an iterable of bytes as the body goes out in chunks."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            # A server that has seen enough of a body answers before all of it is sent.
            with suppress(BrokenPipeError):
                connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def exchange(self, sent: bytes) -> list[Answer]:
        """Send these bytes as they are, and nothing after them; all answers that come until the server hangs up."""
        with socket.create_connection((self.host, self.port), timeout=30) as connection:
            with suppress(ConnectionError):
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            received = b""
            with suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    received += piece
        answers, rest = [], io.BytesIO(received)
        while line := rest.readline():
            status = int(line.split()[1])
            headers = http.client.parse_headers(rest)
            answers.append(Answer(status, headers, rest.read(int(headers["Content-Length"]))))
        return answers

    def send(self, method: str, path: str, body: Any, token: str | None = None, **headers: str) -> Answer:
        """Send JSON, with a token."""
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return self.request(
            method, path, json.dumps(body).encode(), Content_Type="application/json", **authorization, **headers
        )

    def logged(self) -> str:
        """All that the server wrote so far."""
        return self.output.read_text()


@contextmanager
def serving(
    directory: Path, environment: Mapping[str, str], application: str = "wsgi:app", pipe: IO[bytes] | None = None
) -> Iterator[LiveServer]:
    """Serve an application with these settings and no others, `directory` being the working directory.

    What it writes goes to a file, unless there is a pipe for it.
    """
    port = free_port()
    variables = {"HOST": "127.0.0.1", "PORT": str(port), "WEB_CONCURRENCY": "1", "PYTHONPATH": str(ROOT)}
    output = directory / "server.log"
    with output.open("wb") as log:
        process = spawn(
            [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), application],
            env=inherited_environment(**{**variables, **environment}),
            cwd=directory,
            output=pipe or log,
        )
    server = LiveServer("127.0.0.1", port, output, process)
    try:
        assert eventually(lambda: _is_ready(server), timeout=60), output.read_text()
        yield server
    finally:
        terminate(process, signal.SIGTERM, timeout=30)


def _is_ready(server: LiveServer) -> bool:
    assert server.process.poll() is None, server.output.read_text()
    try:
        return server.request("GET", "/api/health/ready").status == 200
    except OSError:
        return False
