"""The whole stack as `make run` starts it, in a directory that is thrown away, for measurements over HTTP."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
START_SECONDS = 120


@contextmanager
def running_stack(*options: str, **environment: str) -> Iterator[str]:
    """Start `python -m backend up` with these options and settings; gives its URL, stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="fuze-bench-") as directory:
        port = free_port()
        command = [sys.executable, "-m", "backend", "up", "--port", str(port), "--data-dir", directory, *options]
        inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        log = Path(directory) / "stack.log"
        with log.open("wb") as output:
            stack = subprocess.Popen(
                command, cwd=ROOT, env={**inherited, **environment}, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_ready(url, stack, log)
                yield url
            finally:
                stack.send_signal(signal.SIGTERM)
                stack.wait(timeout=60)


def new_person(url: str) -> httpx.Client:
    """A client of `/api/v1/` with an account of its own."""
    name = f"bench{secrets.token_hex(4)}"
    client = httpx.Client(base_url=f"{url}/api/v1/", timeout=120, trust_env=False)
    body = {"email": f"{name}@example.org", "username": name, "password": secrets.token_urlsafe(16)}
    session = client.post("auth/register", json=body).raise_for_status().json()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    return client


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(url: str, stack: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and stack.poll() is None:
        try:
            if httpx.get(f"{url}/api/health/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
