"""Command that prints `.env.example` from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from pydantic import SecretStr

from config import SECRET_NAMES, Settings

HEADER = """\
# Every setting of Fuze. Made by `python -m backend env-example`; do not edit.
# Copy to `.env` and take the # off what you change. A variable of the environment comes before this file.
"""
NEEDED_ADDRESS = "FRONTEND_URL"
COMPOSE_SECRETS = {
    "POSTGRES_PASSWORD": "of the superuser `fuze`; letters and digits only, as it becomes part of an address",  # nosec B105
    "POSTGRES_OWNER_PASSWORD": "the same of `fuze_owner`, who owns the tables and migrates them",  # nosec B105
    "POSTGRES_APP_PASSWORD": "the same of `fuze_app`, which the application uses",  # nosec B105
    "REDIS_PASSWORD": Settings.model_fields["REDIS_PASSWORD"].description,
}
COMPOSE_OPTIONS = {
    "REDIS_MAXMEMORY": ("512mb", "docker compose: beyond it Redis drops cached responses before their time"),
    "FUZE_BIND": ("127.0.0.1", "docker compose: address of this machine to publish on"),
    "FUZE_PORTS": ("8000", "docker compose: port to publish; a range such as 8000-8003 for several web containers"),
    "FUZE_DOMAIN": ("", "docker compose: name of this server in the DNS, for the profile `internet`"),
    "GRAFANA_PASSWORD": ("", "docker compose: password of Grafana's user admin, for the profile `monitoring`"),
}


def render() -> str:
    """Render the text of `.env.example`."""
    return "\n".join(
        [
            HEADER,
            "## Needed in production, and by docker compose. Make each key and password with: openssl rand -hex 32",
            *(_entry(name, "", Settings.model_fields[name].description) for name in SECRET_NAMES),
            _entry(NEEDED_ADDRESS, "", Settings.model_fields[NEEDED_ADDRESS].description),
            "",
            "## Needed by docker compose.",
            *(_entry(name, "", description) for name, description in COMPOSE_SECRETS.items()),
            "",
            "## Everything else, with its default.",
            *_optional(),
            *(_entry(f"#{name}", default, text) for name, (default, text) in COMPOSE_OPTIONS.items()),
            "",
        ]
    )


def _optional() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name not in (*SECRET_NAMES, NEEDED_ADDRESS, *COMPOSE_SECRETS):
            yield _entry(f"#{name}", default_text(field.default), field.description)


def _entry(name: str, value: str, description: str | None) -> str:
    # On two lines: parsers take a comment behind an empty value for the value.
    return f"# {description}\n{name}={value}"


def default_text(default: Any) -> str:
    """Format a default as a variable of the environment."""
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
