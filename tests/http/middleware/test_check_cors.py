"""`scripts/check-cors` tells a server that browsers may use from one that they may not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.live import LiveServer
from tests.support.processes import foreign_environment, free_port
from tests.support.stack import ROOT

pytestmark = pytest.mark.integration
ORIGIN = "https://app.example.org"


def check(url: str, origin: str = ORIGIN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "check-cors"), url, origin]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=foreign_environment(TOKEN="")
    )


class Careless(BaseHTTPRequestHandler):
    """Answers as a proxy that lets everybody in."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Leave the output to the tests."""


@pytest.fixture
def careless() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_names_the_origin_passes(live: LiveServer) -> None:
    done = check(live.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nAll is as it should be.\n")


def test_an_origin_that_is_not_named_fails(live: LiveServer) -> None:
    done = check(live.url, "https://other.example.org")
    assert done.returncode == 1
    assert "FAIL  preflight of PATCH: names the origin, once; found nothing" in done.stdout


def test_a_proxy_that_lets_everybody_in_fails(careless: str) -> None:
    done = check(careless)
    assert done.returncode == 1
    assert "FAIL  request of https://check-cors.invalid: is not let in; found ['*']" in done.stdout
    assert "FAIL  without an origin: Vary has Origin; found nothing" in done.stdout


def test_a_server_that_is_away_is_one_line() -> None:
    done = check(f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
