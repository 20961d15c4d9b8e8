"""What measuring costs: `python -m benchmarks.metrics_cost [--requests N]`.

A cached list, as the fast path answers it, with all metrics and without. Which of the two is drawn for each request, so
that whatever else the machine does falls on both. Told is the time of the processor for one request: the difference,
the WSGI call alone, and the whole request in a gunicorn process, which is what a client's request takes. Redis and
PostgreSQL are processes of their own, and not counted.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import flask_migrate
import psutil
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from backend.app import create_app
from backend.http import fast_path
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.processes import inherited_environment, spawn, terminate
from backend.local_stack.redis import EmbeddedRedis
from config import load_settings

ROOT = Path(__file__).parent.parent
SETTINGS = {
    "EMBEDDING_PROVIDER": "none",
    "LOG_LEVEL": "ERROR",
    **{f"RATE_LIMIT_PER_{window}": str(10**9) for window in ("MINUTE", "HOUR", "DAY")},
}
PASSWORD = "correct horse battery"  # nosec B105
PATH = "/api/v1/bookmarks?page_size=20"
BOOKMARKS, PORT = 20, 18_473
GOAL = 0.03
# What a cached response calls.
RECORDERS = ("record_response", "is_lookup_measured", "record_lookup")


class Switch:
    """Turns the metrics of cached responses off and on; both ways take one more call each."""

    def __init__(self) -> None:
        self.is_on = True
        for name in RECORDERS:
            setattr(fast_path, name, self._switched(getattr(fast_path, name)))

    def _switched(self, record: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: record(*given) if self.is_on else None


class Requests:
    """Requests of one person, as the WSGI server hands them over."""

    def __init__(self, app: Flask) -> None:
        """Register the person, and save some bookmarks."""
        self._app = app
        client = app.test_client()
        account = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}
        session = client.post("/api/v1/auth/register", json=account).json
        assert session
        self.headers = {"Authorization": f"Bearer {session['access_token']}", "Accept-Encoding": "gzip"}
        for number in range(BOOKMARKS):
            link = {"url": f"https://example.org/{number}", "capture": False, "tags": ["read"]}
            assert client.post("/api/v1/bookmarks", json=link, headers=self.headers).status_code == 201

    def send(self, environ: dict[str, Any]) -> float:
        """Send the request; return the seconds of the processor that it takes."""
        copy = dict(environ)
        started = time.thread_time()
        body, _, _ = run_wsgi_app(self._app.wsgi_app, copy)
        b"".join(body)
        return time.thread_time() - started

    def compare(self, number: int) -> tuple[float, float]:
        """Return the seconds of a request with metrics and without: medians."""
        switch, taken = Switch(), {True: [0.0], False: [0.0]}
        environ = EnvironBuilder(PATH, headers=self.headers).get_environ()
        for _ in range(number):
            switch.is_on = random.random() < 0.5
            taken[switch.is_on].append(self.send(environ))
        return statistics.median(taken[True]), statistics.median(taken[False])


def seconds_in_gunicorn(headers: dict[str, str], settings: dict[str, str], number: int) -> float:
    """Return the seconds of the processor that a gunicorn process takes for a request, over one connection."""
    environment = {**settings, "PORT": str(PORT), "WEB_CONCURRENCY": "1", "HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    server = spawn(command, env=inherited_environment(**environment), cwd=ROOT)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        while not psutil.Process(server.pid).children() or not _answers(connection, headers):
            time.sleep(0.2)
        for _ in range(number // 10):
            _answers(connection, headers)
        [worker] = psutil.Process(server.pid).children()
        before = sum(worker.cpu_times()[:2])
        for _ in range(number):
            _answers(connection, headers)
        return (sum(worker.cpu_times()[:2]) - before) / number
    finally:
        connection.close()
        terminate(server, signal.SIGTERM, 30)


def _answers(connection: http.client.HTTPConnection, headers: dict[str, str]) -> bool:
    with suppress(OSError):
        connection.request("GET", PATH, headers=headers)
        return bool(connection.getresponse().read())
    connection.close()
    return False


@contextmanager
def application() -> Iterator[tuple[Flask, dict[str, str]]]:
    """Yield an application on servers of its own, and its settings."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-metrics-cost-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        settings = {**SETTINGS, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}
        app = create_app(load_settings(_env_file=None, **settings))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        yield app, settings


def main() -> None:
    """Measure, and say whether the goal is reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=40_000, help="requests to compare (default: 40,000)")
    number = parser.parse_args().requests
    with application() as (app, settings):
        requests = Requests(app)
        gc.disable()
        measured, bare = requests.compare(number)
        whole = seconds_in_gunicorn(requests.headers, settings, number // 4)
    cost = measured - bare
    print(f"metrics of a cached list: {cost * 1e6:.1f} µs")
    print(f"the WSGI call without them: {bare * 1e6:.1f} µs, so {cost / bare:.1%} of it")
    print(f"the whole request in gunicorn: {whole * 1e6:.1f} µs, so {cost / whole:.1%} of it; goal: below {GOAL:.0%}")


if __name__ == "__main__":
    main()
