"""The settings for a command; what is wrong with them is said in plain lines."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from config import ConfigurationError, Part, Settings, load_settings

EXIT_CONFIGURATION = 2


def settings_or_exit(part: Part = "web", /, **overrides: object) -> Settings:
    """The settings; when they cannot be used, say why and end with exit code 2."""
    try:
        settings = load_settings(part, **overrides)
        for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL", "DATABASE_ADMIN_URL"):
            if getattr(settings, name):
                settings.database_address(name)
    except ConfigurationError as error:
        refuse(*str(error).splitlines())
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        refuse(f"cannot use the data directory{place}: {(error.strerror or str(error)).lower()}")
    return settings


def settings_with_database(part: Part = "web") -> Settings:
    """The settings, if they name a database or a running `up` serves one; else end with exit code 2."""
    settings = settings_or_exit(part)
    if not settings.DATABASE_URL and not (part == "migrate" and settings.DATABASE_MIGRATION_URL):
        refuse("no database: set DATABASE_URL, or start `python -m backend up` first")
    return settings


def refuse(*faults: str) -> NoReturn:
    """Say what is wrong with the settings and end."""
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    sys.exit(EXIT_CONFIGURATION)
