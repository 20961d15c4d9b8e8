"""The settings for a command; what is wrong with them is said in plain lines."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from config import ConfigurationError, Settings, load_settings

EXIT_CONFIGURATION = 2


def settings_or_exit(**overrides: object) -> Settings:
    """The settings; when they cannot be used, say why and end with exit code 2."""
    try:
        settings = load_settings(**overrides)
        if settings.DATABASE_URL:
            _ = settings.database_url  # Raises when it is not an address that Fuze can use.
    except ConfigurationError as error:
        refuse(*str(error).splitlines())
    except OSError as error:
        refuse(f"cannot use the data directory {error.filename}: {(error.strerror or str(error)).lower()}")
    return settings


def settings_with_database() -> Settings:
    """The settings, if they name a database or a running `up` serves one; else end with exit code 2."""
    settings = settings_or_exit()
    if not settings.DATABASE_URL:
        refuse("no database: set DATABASE_URL, or start `python -m backend up` first")
    return settings


def refuse(*faults: str) -> NoReturn:
    """Say what is wrong with the settings and end."""
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    sys.exit(EXIT_CONFIGURATION)
