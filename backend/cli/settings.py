"""The settings and the application for a command; what is wrong with them is said in plain lines."""

from __future__ import annotations

import sys

import click

from config import ConfigurationError, Settings, load_settings

EXIT_CONFIGURATION = 2


def settings_or_exit(**overrides: object) -> Settings:
    """The settings; when they cannot be used, say why and end with exit code 2."""
    try:
        return load_settings(**overrides)
    except ConfigurationError as error:
        lines = str(error).splitlines()
    except OSError as error:
        lines = [f"cannot use the data directory {error.filename}: {(error.strerror or str(error)).lower()}"]
    for line in lines:
        click.echo(f"Error: {line}", err=True)
    sys.exit(EXIT_CONFIGURATION)
