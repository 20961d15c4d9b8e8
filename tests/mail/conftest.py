"""A mail server for a test, a folder for mails where there is none, and a worker that works when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from loguru import logger
from pydantic import SecretStr
from sqlalchemy import text

from backend.extensions import db
from backend.jobs.queue import rq_queue
from backend.jobs.registry import declared_job, load_jobs
from config import Settings
from tests.mail.smtp_server import SmtpServer, smtp_server


@pytest.fixture
def mail_server(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """A running mail server that the settings name."""
    settings: Settings = migrated_app.extensions["settings"]
    with smtp_server() as server:
        monkeypatch.setattr(settings, "SMTP_URL", SecretStr(server.url))
        yield server


@pytest.fixture
def mail_folder(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where mails are written when there is no mail server."""
    settings: Settings = migrated_app.extensions["settings"]
    monkeypatch.setattr(settings, "SMTP_URL", SecretStr(""))
    monkeypatch.setattr(settings, "FUZE_DATA_DIR", tmp_path)
    return tmp_path / "mail"


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    """Does what waits on the queue, in this process; how many messages there were."""

    def run() -> int:
        with app.app_context():
            jobs = rq_queue("mail").get_jobs()
            load_jobs()
            for job in jobs:
                job.delete()
                declaration = declared_job(job.func_name)
                assert declaration is not None
                declaration.function(**job.kwargs)
            db.session.remove()
        return len(jobs)

    return run


@pytest.fixture
def row(app: Flask) -> Callable[..., Any]:
    """Sends a statement; its first row, if it gives any."""

    def ask(statement: str, **values: Any) -> Any:
        with app.app_context():
            found = db.session.execute(text(statement), values)
            first = found.first() if found.returns_rows else None
            db.session.commit()
            db.session.remove()
        return first

    return ask


@pytest.fixture
def log(app: Flask) -> Iterator[list[str]]:
    """All that is logged during the test, at every level."""
    written: list[str] = []
    sink = logger.add(lambda message: written.append(str(message)), level=0, diagnose=False)
    yield written
    logger.remove(sink)
