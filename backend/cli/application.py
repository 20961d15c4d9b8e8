"""Application context of commands."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from backend.app import create_app
from backend.cli.answers import database_answers
from backend.cli.settings import settings_or_exit, settings_with_database


@contextmanager
def connected_application() -> Iterator[Flask]:
    """Yield the application, in its context, on the configured database or that of a running `up`."""
    app = create_app(settings_with_database())
    with app.app_context(), database_answers():
        yield app


def detached_application() -> Flask:
    """Make an application to inspect its routes: it connects to nothing, and writes nothing."""
    return create_app(
        settings_or_exit(
            ENVIRONMENT="development",
            SECRET_KEY=secrets.token_urlsafe(48),
            JWT_SECRET_KEY=secrets.token_urlsafe(48),
            DATABASE_URL="postgresql://127.0.0.1:9/none",
            REDIS_URL="redis://127.0.0.1:9/0",
        )
    )
