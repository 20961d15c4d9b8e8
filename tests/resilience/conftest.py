"""The whole stack as real processes, and a site whose pages can be made slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from benchmarks.stack import RAISED_LIMITS
from tests.mail.reading import from_files, links
from tests.support.api import PASSWORD
from tests.support.processes import eventually, free_port
from tests.support.secrecy import secrets_in

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {
    "AI_ALLOWED_NETWORKS": "127.0.0.1",
    "CAPTURE_ALLOWED_NETWORKS": "127.0.0.0/8",
    "CAPTURE_LEASE_SECONDS": "5",
    "CAPTURE_RETRY_SECONDS": "1",
    "RECONCILE_SECONDS": "1",
    "EMBEDDING_PROVIDER": "none",
    "LOG_LEVEL": "INFO",
    "PYTHONUNBUFFERED": "1",
    **RAISED_LIMITS,  # The limiter is at work, and refuses nobody.
}


@dataclass
class Site:
    """A local site; every page is an article of its own. `delay` seconds pass before a page answers."""

    port: int
    delay: float = 0.0
    hits: Counter[str] = field(default_factory=Counter)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@dataclass
class Stack:
    """A running `python -m backend up`."""

    process: subprocess.Popen[bytes]
    url: str
    data_dir: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def children(self, *words: str) -> list[psutil.Process]:
        """The processes below `up` whose command line holds all the words."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except psutil.NoSuchProcess:
                continue
            if all(word in line for word in words):
                found.append(child)
        return found

    def written(self) -> str:
        """All that the processes wrote so far: to the terminal, and to their log files."""
        return "\n".join(path.read_text(errors="replace") for path in self.data_dir.rglob("*.log"))

    def secrets(self) -> list[str]:
        """The stack's own keys, and the tokens of the mails that it sent."""
        keys = json.loads((self.data_dir / "secrets.json").read_text())
        return [*keys.values(), *(token for _, token in links(from_files(self.data_dir / "mail")))]

    def client(self, name: str) -> httpx.Client:
        """A client with an account of its own."""
        client = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=30, trust_env=False)
        self.clients.append(client)
        body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
        answer = client.post("auth/register", json=body)
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _serving("127.0.0.1") as found:
        yield found


@pytest.fixture(scope="module")
def wide_site() -> Iterator[Site]:
    """The same on every address of this machine, each a host of its own."""
    with _serving("0.0.0.0") as found:
        yield found


@contextmanager
def _serving(address: str) -> Iterator[Site]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            found.hits[name] += 1
            time.sleep(found.delay)
            head, text = f"<title>Page {name}</title>", f"<p>Ornithology of {name}.</p>"
            body = f"<html><head>{head}</head><body>{text}</body></html>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True  # A worker that was killed hung up.

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server((address, 0), Page)
    server.daemon_threads = True
    found = Site(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack for the tests of a file, with its `STACK_SETTINGS` if it has any; at its end no password, token or key
    may stand in what it logged."""
    # Not pytest's own: each session tightens the directory above those, and PostgreSQL loses its way there.
    with tempfile.TemporaryDirectory(prefix="fuze-stack-") as path:
        with _running(Path(path), getattr(request.module, "STACK_SETTINGS", {})) as found:
            yield found
        assert secrets_in(found.written(), found.secrets()) == set()


@contextmanager
def _running(data_dir: Path, more: dict[str, str]) -> Iterator[Stack]:
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "FUZE_DATA_DIR")
    }
    command = [
        *(sys.executable, "-m", "backend", "up", "--port", str(port), "--data-dir", str(data_dir)),
        *("--workers", "2", "--rq-workers", "1"),
    ]
    settings = {**SETTINGS, **more, "LOG_DIR": str(data_dir / "logs")}
    log = data_dir / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
        found = Stack(process, f"http://127.0.0.1:{port}", data_dir)
        try:
            assert eventually(lambda: _is_up(found), timeout=240), log.read_text()
            yield found
        finally:
            for client in found.clients:
                client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, log.read_text()


def _is_up(stack: Stack) -> bool:
    try:
        return all(
            httpx.get(f"{stack.url}/api/health/{part}", trust_env=False).status_code == 200
            for part in ("ready", "worker")
        )
    except httpx.TransportError:
        return False
