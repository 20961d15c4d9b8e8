"""What measuring costs: `python -m benchmarks.metrics_cost [--blocks N]`.

A cached list, as the fast path answers it, and a list that is not cached, with all metrics and without. Blocks of both
variants take turns in one process, so that whatever else the machine does falls on both. Told is the time of the
processor for one request: of the WSGI call alone, without what gunicorn adds on its way, so that the share is rather
too high than too low. Redis and PostgreSQL are processes of their own, and not counted.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import flask_migrate
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from backend.app import create_app
from backend.http import fast_path, finish
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from config import load_settings

ROOT = Path(__file__).parent.parent
SETTINGS = {"EMBEDDING_PROVIDER": "none", "LOG_LEVEL": "ERROR", "RATE_LIMIT_PER_MINUTE": 10**9}
LIMITS = {"RATE_LIMIT_PER_HOUR": 10**9, "RATE_LIMIT_PER_DAY": 10**9}
PASSWORD = "correct horse battery"  # nosec B105
# Before each block some requests: the interpreter has to learn again what it calls.
BOOKMARKS, BLOCK, WARM_UP = 20, 400, 200
GOAL = 0.03
# What a request of either kind calls; each is replaced by nothing.
RECORDERS = (
    *((fast_path, name) for name in ("record_response", "is_lookup_measured", "record_lookup")),
    (finish, "record_response"),
)


@contextmanager
def without_metrics() -> Iterator[None]:
    """Record nothing."""
    with ExitStack() as stack:
        for owner, name in RECORDERS:
            stack.enter_context(patch.object(owner, name, lambda *given, **named: None))
        stack.enter_context(patch.object(fast_path, "request_in_progress", nullcontext))
        yield


class Requests:
    """Requests of one person, as the WSGI server hands them over."""

    def __init__(self, app: Flask) -> None:
        """Register the person, and save some bookmarks."""
        self._app = app
        client = app.test_client()
        account = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}
        session = client.post("/api/v1/auth/register", json=account).json
        assert session
        self._headers = {"Authorization": f"Bearer {session['access_token']}", "Accept-Encoding": "gzip"}
        for number in range(BOOKMARKS):
            link = {"url": f"https://example.org/{number}", "capture": False, "tags": ["read"]}
            assert client.post("/api/v1/bookmarks", json=link, headers=self._headers).status_code == 201

    def send(self, path: str, times: int) -> float:
        """Send a request so many times; return the seconds of the processor that one takes."""
        environ = EnvironBuilder(path, headers=self._headers).get_environ()
        copies = [dict(environ) for _ in range(times)]
        started = time.process_time()
        for copy in copies:
            body, _, _ = run_wsgi_app(self._app.wsgi_app, copy)
            b"".join(body)
        return (time.process_time() - started) / times


def compare(requests: Requests, path: str, blocks: int, size: int) -> tuple[float, float]:
    """Return the seconds with metrics and without: the lower quartile, which other load disturbs least."""
    taken: tuple[list[float], list[float]] = ([], [])
    requests.send(path, size)
    for number in range(2 * blocks):
        # In the order ABBA, so that a slow drift of the machine falls on both.
        is_bare = number % 4 in (1, 2)
        with without_metrics() if is_bare else nullcontext():
            requests.send(path, WARM_UP)
            taken[is_bare].append(requests.send(path, size))
    with_metrics, bare = (statistics.quantiles(seconds, n=4)[0] for seconds in taken)
    return with_metrics, bare


@contextmanager
def application() -> Iterator[Flask]:
    """Yield an application on servers of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-metrics-cost-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        addresses = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}
        app = create_app(load_settings(_env_file=None, **SETTINGS, **LIMITS, **addresses))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        yield app


def main() -> None:
    """Measure, and say whether the goal is reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--blocks", type=int, default=60, help="blocks of each variant (default: 60)")
    blocks = parser.parse_args().blocks
    with application() as app:
        requests = Requests(app)
        gc.disable()
        for name, path, size in (
            ("cached list", "/api/v1/bookmarks?page_size=20", BLOCK),
            ("health (through Flask)", "/api/health/live", BLOCK),
        ):
            measured, bare = compare(requests, path, blocks, size)
            share = (measured - bare) / bare
            print(f"{name}: {measured * 1e6:.1f} µs with metrics, {bare * 1e6:.1f} without: {share:+.2%}")
    print(f"goal for a cached list: below {GOAL:.0%}")


if __name__ == "__main__":
    main()
