"""What a dashboard export takes: CPU time, and memory beyond that of an idle process, with 300,000 events in it.

Each format is written by a process of its own, as a worker does. Run: python -m benchmarks.dashboard_export [events]
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import flask_migrate
from flask import Flask
from sqlalchemy import text

from backend.actor import Actor
from backend.app import create_app
from backend.dashboard.export.models import DashboardExport
from backend.dashboard.export.schemas import DashboardExportIn, TableFormat
from backend.dashboard.export.service import request_export
from backend.dashboard.jobs import run_export
from backend.extensions import db
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from config import load_settings
from tests.support.factories import make_person

ROOT = Path(__file__).parent.parent
EVENTS, BOOKMARKS = 300_000, 20_000
FORMATS: tuple[TableFormat, ...] = ("json", "csv", "xlsx")
LOG = """
    INSERT INTO activity (organization_id, user_id, type, object_type, object_id, data, created_at)
    SELECT :organization, :user, (ARRAY['bookmark.created', 'bookmark.updated', 'task.completed'])[1 + n % 3],
           'bookmark', n, jsonb_build_object('fields', ARRAY['is_read']), now() - n * interval '100 seconds'
      FROM generate_series(1, :events) n
"""
LINKS = """
    INSERT INTO bookmarks (organization_id, user_id, url, url_hash, domain, title, description, notes, capture_status)
    SELECT :organization, :user, 'https://example.org/' || n, int8send(n), 'example.org', 'Title of page ' || n,
           repeat(md5(n::text), 6), CASE WHEN n % 10 = 0 THEN repeat(md5(n::text), 60) ELSE '' END, 'captured'
      FROM generate_series(1, :bookmarks) n
"""


def write(app: Flask, job_id: UUID, name: str) -> None:
    """Write one export in this process, and print what it took."""
    with app.app_context():
        db.engine.dispose(close=False)
        db.session.execute(text("SELECT 1"))
        db.session.commit()
        idle, began = _resident_mib(), time.process_time()
        run_export(job_id)
        used, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        export = db.session.get_one(DashboardExport, job_id)
        size = (export.size or 0) / 1e6
        print(f"{name:5} {size:6.1f} MB, {used:5.1f} s of CPU, {idle:.0f} MiB idle, {peak - idle:+.0f} MiB at most")


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with (
        tempfile.TemporaryDirectory(prefix="fuze-benchmark-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        addresses = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}
        app = create_app(load_settings(_env_file=None, LOG_LEVEL="WARNING", EMBEDDING_PROVIDER="none", **addresses))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        _measure(app, events)


def _measure(app: Flask, events: int) -> None:
    person = make_person(app)
    whose = {"organization": person.organization_id, "user": person.user_id}
    with app.app_context():
        db.session.execute(text(LOG), {**whose, "events": events})
        db.session.execute(text(LINKS), {**whose, "bookmarks": BOOKMARKS})
        db.session.commit()
        actor = Actor(person.user_id, person.organization_id, "owner")
        print(f"{events:,} events, {BOOKMARKS:,} bookmarks")
        for name in FORMATS:
            job = request_export(actor, DashboardExportIn(format=name, include_history=True))
            process = multiprocessing.get_context("fork").Process(target=write, args=(app, job.id, name))
            process.start()
            process.join()


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
