"""Commands on the database's tables."""

from __future__ import annotations

from pathlib import Path

import click
import flask_migrate

from backend.cli.application import connected_application

MIGRATIONS = str(Path(__file__).parents[2] / "migrations")


@click.group("db")
def database() -> None:
    """Change the version of the database's tables."""


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the tables up to REVISION (default: the newest)."""
    with connected_application():
        flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)


@database.command()
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION (default: one step; `base`: none left)."""
    with connected_application():
        flask_migrate.downgrade(directory=MIGRATIONS, revision=revision)
