"""The command that prints `.env.example`, made from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from pydantic import SecretStr

from config import SECRET_NAMES, Settings

HEADER = """\
# Every setting of Fuze. Made by `python -m backend env-example`; do not edit.
# Copy to `.env` and take the # off what you change. Variables of the environment come before this file.
"""
COMPOSE = {
    "POSTGRES_PASSWORD": "letters and digits only, it becomes part of an address",
    "REDIS_PASSWORD": "letters and digits only",
    "GRAFANA_PASSWORD": "of its user admin; only for the profile `monitoring`",
    "FUZE_BIND": "address of this machine to publish on; default: 127.0.0.1",
    "FUZE_PORTS": "port to publish, or as many as there are web containers: 8000-8003; default: 8000",
}


def render() -> str:
    """The text of `.env.example`."""
    return "\n".join(
        [
            HEADER,
            "# Needed in production, and by docker compose. Make each with: openssl rand -hex 32",
            *(_line(name, "", Settings.model_fields[name].description) for name in SECRET_NAMES),
            "",
            "# Needed by docker compose.",
            *(_line(name, "", description) for name, description in COMPOSE.items()),
            "",
            "# Everything else, with its default.",
            *_optional(),
            "",
        ]
    )


def _optional() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name not in SECRET_NAMES and name not in COMPOSE:
            yield "#" + _line(name, _written(field.default), field.description)


def _line(name: str, value: str, description: str | None) -> str:
    return f"{name}={value}  # {description}"


def _written(default: Any) -> str:
    """A default in the form in which the environment would give it."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ",".join(map(str, default))
    return "" if default is None else str(default)


@click.command("env-example")
def env_example() -> None:
    """Print every setting with its description and default."""
    click.echo(render(), nl=False)
