"""Application context of commands."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from backend.app import create_app
from backend.cli.settings import settings_or_exit, settings_with_database

NO_RIGHT = "42501"


@contextmanager
def connected_application() -> Iterator[Flask]:
    """Yield the application, in its context, on the configured database or that of a running `up`."""
    app = create_app(settings_with_database())
    with app.app_context(), database_answers():
        yield app


@contextmanager
def database_answers() -> Iterator[None]:
    """Report in one line that the database does not answer, or that the role lacks a right.

    Raises:
        ClickException: one of these.
    """
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"the database does not answer: {reason}") from None
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) != NO_RIGHT:
            raise
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"the role may not do this: {reason}. Set DATABASE_MIGRATION_URL to the owner of the tables"
        ) from None


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
