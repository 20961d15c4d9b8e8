"""The whole stack as `make run` starts it, in a directory that is thrown away, for measurements over HTTP."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from backend.local_stack.processes import inherited_environment, spawn, terminate

ROOT = Path(__file__).parent.parent
START_SECONDS = 120
STOP_SECONDS = 40
LOG_LINES = 40
# So high that no load reaches them: the limits are checked and counted, and refuse nothing.
RAISED_LIMITS = {f"RATE_LIMIT_PER_{window}": "100000000" for window in ("MINUTE", "HOUR", "DAY")}


@dataclass(frozen=True)
class RunningStack:
    """A stack that answers at `url`, with its data directory and its log."""

    url: str
    data_dir: Path
    log: Path

    def addresses(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL of its servers, for measurements that go below the API."""
        found: dict[str, str] = json.loads((self.data_dir / "stack.json").read_text())
        return found


class SessionAuth(httpx.Auth):
    """The access token of a session, renewed whenever it has expired: a measurement may outlast it."""

    requires_response_body = True

    def __init__(self, url: str, session: dict[str, str]) -> None:
        self._refresh_url = f"{url}/api/v1/auth/refresh"
        self._session = session

    @property
    def access_token(self) -> str:
        """The token that is sent at the moment."""
        return self._session["access_token"]

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request, and once more with a new token if the first is refused."""
        request.headers["Authorization"] = f"Bearer {self._session['access_token']}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            body = {"refresh_token": self._session["refresh_token"]}
            refreshed = yield httpx.Request("POST", self._refresh_url, json=body)
            self._session = refreshed.raise_for_status().json()
            request.headers["Authorization"] = f"Bearer {self._session['access_token']}"
            yield request


@contextmanager
def running_stack(
    *options: str, data_dir: Path | None = None, root: Path = ROOT, **environment: str
) -> Iterator[RunningStack]:
    """Start `python -m backend up` with these options and settings, and stop it at the end.

    `data_dir` is kept; without it the data is thrown away. `root` is the checkout whose code runs. When what is done
    with it fails, the end of its log is printed and the whole log is kept.
    """
    place = nullcontext(str(data_dir)) if data_dir else tempfile.TemporaryDirectory(prefix="fuze-bench-")
    with place as directory:
        port = free_port()
        command = [sys.executable, "-m", "backend", "up", "--port", str(port), "--data-dir", directory, *options]
        inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        log = Path(directory) / "stack.log"
        with log.open("wb") as output:
            stack = subprocess.Popen(
                command, cwd=root, env={**inherited, **environment}, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_ready(f"{url}/api/health/ready", stack)
                yield RunningStack(url, Path(directory), log)
            except BaseException:
                _keep_log(log)
                raise
            finally:
                stack.send_signal(signal.SIGTERM)
                stack.wait(timeout=60)


@contextmanager
def another_web(stack: RunningStack, configuration: str = "gunicorn.conf.py", **environment: str) -> Iterator[str]:
    """A second web server beside that of a running stack, on the same data, with settings of its own; its address."""
    settings = {**stack.addresses(), "FUZE_DATA_DIR": str(stack.data_dir), **environment}
    with _gunicorn(configuration, "/api/health/ready", settings) as url:
        yield url


@contextmanager
def bare_web() -> Iterator[str]:
    """The bare Flask application under the same gunicorn settings as the product; its address."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-bench-") as directory,
        _gunicorn("benchmarks/bare_gunicorn.py", "/", {"FUZE_DATA_DIR": directory}) as url,
    ):
        yield url


def new_person(url: str) -> httpx.Client:
    """A client of `/api/v1/` with an account of its own; one connection, kept open."""
    return register(url, f"bench{secrets.token_hex(4)}", secrets.token_urlsafe(16))


def register(url: str, username: str, password: str) -> httpx.Client:
    """A client of `/api/v1/` with a new account; its mail address is `<username>@example.org`."""
    body = {"email": f"{username}@example.org", "username": username, "password": password}
    return _client_of_session(url, "auth/register", body)


def log_in(url: str, username: str, password: str) -> httpx.Client:
    """A client of `/api/v1/` with an account that there is."""
    return _client_of_session(url, "auth/login", {"login": username, "password": password})


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _client_of_session(url: str, path: str, body: dict[str, str]) -> httpx.Client:
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    client = httpx.Client(base_url=f"{url}/api/v1/", timeout=120, trust_env=False, limits=limits)
    client.auth = SessionAuth(url, client.post(path, json=body).raise_for_status().json())
    return client


@contextmanager
def _gunicorn(configuration: str, ready: str, settings: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    environment = inherited_environment(**settings, HOST="127.0.0.1", PORT=str(port))
    with tempfile.NamedTemporaryFile(prefix="fuze-bench-", suffix=".log") as output:
        command = [sys.executable, "-m", "gunicorn", "--config", configuration]
        server = spawn(command, env=environment, cwd=ROOT, output=output)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_ready(f"{url}{ready}", server)
            yield url
        except BaseException:
            _keep_log(Path(output.name))
            raise
        finally:
            terminate(server, signal.SIGTERM, STOP_SECONDS)


def _wait_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the stack did not start")


def _keep_log(log: Path) -> None:
    descriptor, kept = tempfile.mkstemp(prefix="fuze-bench-", suffix=".log")
    os.close(descriptor)
    shutil.copyfile(log, kept)
    # One line for every request that went well would leave no room for the one that did not.
    lines = [line for line in log.read_text(errors="replace").splitlines() if " INFO " not in line or "web" not in line]
    print("\n".join(["", f"the end of the stack's log, kept as {kept}:", *lines[-LOG_LINES:]]), file=sys.stderr)
