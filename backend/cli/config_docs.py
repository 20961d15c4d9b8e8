"""Command that prints `docs/configuration.md` from the settings."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from backend.cli.env_example import COMPOSE_OPTIONS, COMPOSE_SECRETS, default_text
from config import NEEDED, Settings

HEADER = """\
# Configuration

<!-- Made by `python -m backend config-docs`; do not edit. -->

Settings are variables of the environment, or lines of `.env` in the working directory; the environment comes first, and
an empty value is none. All are read once, at the start of a process: restart after a change. A wrong value stops the
start with one line for each fault and exit status 2; a name that is nearly that of a setting gets a warning. Without
any setting `make run` works. [`.env.example`](../.env.example) holds the same as a file to copy.

Production (`ENVIRONMENT=production`) does not start without the settings that name the processes which need them.
"""
# The first setting of each section, in the order of `Settings`.
SECTIONS = {
    "ENVIRONMENT": "Environment and keys",
    "DATABASE_URL": "Servers",
    "HOST": "Web server",
    "LOG_LEVEL": "Logs, metrics and health",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "Traces and reported errors",
    "ENABLE_RATE_LIMITING": "Rate limits and cache",
    "REGISTRATION": "Accounts and sessions",
    "DATABASE_POOL_SIZE": "Use of the database, retention, queue",
    "CAPTURE_ALLOWED_NETWORKS": "Capture and link checks",
    "EMBEDDING_PROVIDER": "Embeddings",
    "MAX_API_TOKENS_PER_PERSON": "Quotas",
    "LLM_BASE_URL": "Language models",
    "EXPORT_STORAGE": "Storage of exports",
    "SMTP_URL": "Mail and addresses",
}
TABLE = ("| setting | values | default | meaning |", "|---|---|---|---|")
BOUNDS = {"ge": "from {}", "gt": "over {}", "le": "to {}"}
PLAIN_TYPES = {bool: "`true`, `false`", int: "integer", float: "number", str: "text", SecretStr: "secret", Path: "path"}


def render() -> str:
    """Render the text of `docs/configuration.md`."""
    lines = [HEADER.rstrip()]
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            lines += ["", f"## {SECTIONS[name]}", "", *TABLE]
        lines.append(_row(name, _values(field), default_text(field.default), _meaning(name, field)))
    return "\n".join([*lines, "", *_compose(), ""])


def _compose() -> Iterator[str]:
    yield from ("## Of docker-compose.yml alone", "", *TABLE)
    for name, description in COMPOSE_SECRETS.items():
        if name not in Settings.model_fields:
            yield _row(name, "secret", "", f"{description} (needed)")
    for name, (default, description) in COMPOSE_OPTIONS.items():
        yield _row(name, "text", default, description.removeprefix("docker compose: "))


def _row(name: str, values: str, default: str, meaning: str) -> str:
    cells = (f"`{name}`", values, f"`{default}`" if default else "", meaning.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _meaning(name: str, field: FieldInfo) -> str:
    needed_by = [part for part, names in NEEDED.items() if name in names]
    return f"{field.description}" + (f" (production: {', '.join(needed_by)})" if needed_by else "")


def _values(field: FieldInfo) -> str:
    """Describe what a setting takes: the values, or the kind and its bounds."""
    kind = _without_none(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is list:
        return "list"
    bounds = [
        text.format(getattr(limit, key))
        for key, text in BOUNDS.items()
        for limit in field.metadata
        if hasattr(limit, key)
    ]
    return " ".join([PLAIN_TYPES[kind], *bounds])


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(kind for kind in get_args(annotation) if kind is not types.NoneType)
    return annotation


@click.command("config-docs")
def config_docs() -> None:
    """Print docs/configuration.md: every setting with its values."""
    click.echo(render(), nl=False)
