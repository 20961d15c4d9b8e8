"""What the dashboard costs with a year in the tables: `python -m benchmarks.dashboard [--events N] [--bookmarks N]`.

With `--check` no time is taken: every number of metrics and statistics of all organizations and of the server, in
several time zones and all intervals, is compared with what Python counts over the same events.

A fresh PostgreSQL and Redis with 200 people in 20 organizations, 300,000 events and 100,000 bookmarks, half of them in
one organization, rolled up as the worker does it. Told are, for each route, percentiles of the time of a cold request
(another query string each time) and of its processor time, this process's and PostgreSQL's, and the SQL statements.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from zoneinfo import available_timezones

import flask_migrate
import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from backend.activity import roll_ups
from backend.app import create_app
from backend.auth.clients import Client
from backend.auth.models import User
from backend.auth.service import create_session
from backend.clock import utc_now
from backend.extensions import db
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from benchmarks.dashboard_check import ZONES, DashboardCheck
from benchmarks.simulated_content import simulate_content, write_content
from benchmarks.simulated_year import SimulatedYear, simulate, write_year
from config import load_settings

ROOT = Path(__file__).parent.parent
SETTINGS = {"ENABLE_RATE_LIMITING": False, "EMBEDDING_PROVIDER": "none", "LOG_LEVEL": "ERROR"}
ORGANIZATIONS, PEOPLE, SEED = 20, 200, 14
BOOKMARKS = text("""
    INSERT INTO bookmarks (organization_id, url, url_hash, domain, title, is_read, capture_status, created_at)
    SELECT CASE WHEN n % 2 = 0 THEN CAST(:first AS bigint) ELSE :first + n % :organizations END,
           'https://example.org/' || n, sha256(CAST(CAST(n AS text) AS bytea)), 'example.org', 'Title ' || n, n % 3 = 0,
           'captured', now() - n * interval '5 minutes'
      FROM generate_series(CAST(:start AS bigint), :stop) AS n
""")
BATCH = 5_000


@dataclass(frozen=True)
class Sample:
    """One request: milliseconds on the clock and of the processor, and SQL statements."""

    clock: float
    processor: float
    statements: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--bookmarks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--check", action="store_true", help="compare numbers, and measure nothing")
    options = parser.parse_args()
    year = simulate(SEED, utc_now(), organizations=ORGANIZATIONS, people=PEOPLE, events=options.events)
    if options.check:
        check(year, options.bookmarks)
        return
    with loaded_application(year, options.bookmarks) as app:
        client, headers = member(app, year, year.organizations[0])
        for name, paths in requests(year).items():
            samples = [ask(app, client, headers, next(paths)) for _ in range(options.rounds + 3)][3:]
            print(f"{name:28} {report(samples)}", flush=True)


def check(year: SimulatedYear, bookmarks: int) -> None:
    """Compare every number with what is expected of the year, and of bookmarks, projects and tasks in all states."""
    content = simulate_content(SEED, year, bookmarks, projects=bookmarks // 100, tasks=bookmarks // 10)
    found = DashboardCheck(year, content)
    with loaded_application(year, 0) as app:
        with app.app_context(), db.engine.begin() as connection:
            write_content(connection, content)
        clients = [(team, *member(app, year, team)) for team in year.organizations]
        for zone in ZONES:
            for team, client, headers in clients:
                found.team(client, headers, team, zone)
            found.server(*clients[0][1:], zone, admins=len(clients))
            print(f"{zone:20} {found.compared:9,} numbers compared, {len(found.differences)} differ", flush=True)
    if found.differences:
        sys.exit("\n".join(found.differences[:100]))


@contextmanager
def loaded_application(year: SimulatedYear, bookmarks: int) -> Iterator[Flask]:
    """Yield an application over a year."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-dashboard-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        servers = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}
        app = create_app(load_settings(_env_file=None, **SETTINGS, **servers))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            load(year, bookmarks)
        yield app
        with app.app_context():
            db.engine.dispose()


def load(year: SimulatedYear, bookmarks: int) -> None:
    """Write the year and the bookmarks, and roll the log up."""
    with db.engine.begin() as connection:
        write_year(connection, year)
    values = {"first": year.organizations[0], "organizations": len(year.organizations)}
    for start in range(0, bookmarks, BATCH):
        with db.engine.begin() as connection:
            connection.execute(BOOKMARKS, {**values, "start": start, "stop": min(start + BATCH, bookmarks) - 1})
    started = time.perf_counter()
    roll_ups.roll_up()
    print(f"rolled up {len(year.events)} events in {time.perf_counter() - started:.1f} s", flush=True)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def member(app: Flask, year: SimulatedYear, team: int) -> tuple[FlaskClient, dict[str, str]]:
    """Return a client and the headers of a member of an organization, who administers the server too."""
    user_id = next(one.user for one in year.members if one.organization == team and one.until is None)
    with app.app_context():
        user = db.session.get_one(User, user_id)
        user.role = "admin"
        session = create_session(user, Client("benchmark", "127.0.0.1"))
        db.session.commit()
    return app.test_client(), {"Authorization": f"Bearer {session.access_token}", "X-Organization-ID": str(team)}


def requests(year: SimulatedYear) -> dict[str, Iterator[str]]:
    """Return endless requests by name, no two the same: none is cached."""
    today = year.now.date()
    year_ago, five_years_ago = today - timedelta(days=364), today - timedelta(days=5 * 365)
    series = "statistics?to={today}&from={first}&interval={interval}&time_zone={zone}"
    return {
        "metrics": _in_zones("metrics?time_zone={zone}"),
        "metrics of the server": _in_zones("metrics?scope=server&time_zone={zone}"),
        "statistics of a year": _in_zones(series, today=today, first=year_ago, interval="day"),
        "the same by month": _in_zones(series, today=today, first=year_ago, interval="month"),
        "statistics of five years": _in_zones(series, today=today, first=five_years_ago, interval="day"),
        "activity": (f"activity?limit=50&since=2001-01-01T00:00:00.{n:06}Z" for n in range(10**6)),
        "activity of a type": (
            f"activity?limit=50&type=task.completed&since=2001-01-01T00:00:00.{n:06}Z" for n in range(10**6)
        ),
    }


def _in_zones(path: str, **values: object) -> Iterator[str]:
    while True:
        for zone in sorted(available_timezones() - {"localtime", "posixrules"}):
            yield path.format(zone=zone.replace("+", "%2B"), **values)


def ask(app: Flask, client: FlaskClient, headers: dict[str, str], path: str) -> Sample:
    """Send a request that nothing has cached."""
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(*given: object) -> None:
        statements.append(str(given[2]))

    event.listen(engine, "before_cursor_execute", note)
    started, spent = time.perf_counter(), _processor_seconds()
    response = client.get(f"/api/v1/dashboard/{path}", headers=headers)
    sample = Sample((time.perf_counter() - started) * 1000, (_processor_seconds() - spent) * 1000, len(statements))
    event.remove(engine, "before_cursor_execute", note)
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.get_json()["metadata"]["cached"] is False
    return sample


def _processor_seconds() -> float:
    """Return the processor time of this process and of all below it: PostgreSQL's are."""
    spent = 0.0
    for process in (here := psutil.Process(os.getpid()), *here.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent


def report(samples: list[Sample]) -> str:
    """Return a line about samples."""
    clock, processor = ([getattr(sample, name) for sample in samples] for name in ("clock", "processor"))
    at = quantiles(clock, n=20)
    mean = sum(processor) / len(processor)
    statements = max(sample.statements for sample in samples)
    return f"p50 {at[9]:6.1f} ms  p95 {at[18]:6.1f} ms  processor {mean:6.1f} ms a request  {statements} statement(s)"


if __name__ == "__main__":
    main()
