"""Settings of a command; faults are reported in plain lines."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from config import ConfigurationError, Part, Settings, load_settings

EXIT_CONFIGURATION = 2


def settings_or_exit(part: Part = "web", /, **overrides: object) -> Settings:
    """Load the settings; if they are invalid, report the faults and exit with code 2."""
    try:
        settings = load_settings(part, **overrides)
        for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL", "DATABASE_ADMIN_URL"):
            if getattr(settings, name):
                settings.database_address(name)
    except ConfigurationError as error:
        refuse(*str(error).splitlines())
    except OSError as error:
        path = f" {error.filename}" if error.filename else ""
        refuse(f"cannot use the data directory{path}: {(error.strerror or str(error)).lower()}")
    return settings


def settings_with_database(part: Part = "web") -> Settings:
    """Load the settings, which must name a database unless `up` runs; else exit with code 2."""
    settings = settings_or_exit(part)
    if not settings.DATABASE_URL and not (part == "migrate" and settings.DATABASE_MIGRATION_URL):
        refuse("no database: set DATABASE_URL, or start `python -m backend up` first")
    return settings


def refuse(*faults: str) -> NoReturn:
    """Report faults of the settings and exit."""
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    sys.exit(EXIT_CONFIGURATION)
