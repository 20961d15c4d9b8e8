"""The application for commands that need it."""

from __future__ import annotations

import secrets
import sys

import click
from flask import Flask

from backend import create_app
from backend.cli.settings import EXIT_CONFIGURATION, settings_or_exit


def running_application() -> Flask:
    """The application on the database that is configured, or that a running `up` serves."""
    settings = settings_or_exit()
    if not settings.DATABASE_URL:
        click.echo("Error: no database: set DATABASE_URL, or start `python -m backend up` first", err=True)
        sys.exit(EXIT_CONFIGURATION)
    return create_app(settings)


def detached_application() -> Flask:
    """The application for a look at its routes: nothing is connected to, and nothing written down."""
    return create_app(
        settings_or_exit(
            ENVIRONMENT="development",
            SECRET_KEY=secrets.token_urlsafe(48),
            JWT_SECRET_KEY=secrets.token_urlsafe(48),
            DATABASE_URL="postgresql://127.0.0.1:9/none",
            REDIS_URL="redis://127.0.0.1:9/0",
        )
    )
