"""Commands on the tables and roles of the database, and a report on its state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import flask_migrate
import psycopg2
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from backend.cli.answers import database_answers
from backend.cli.report_text import report_lines
from backend.cli.settings import refuse, settings_or_exit, settings_with_database
from backend.database import bind_database
from backend.extensions import db
from backend.health.database_report import database_report
from backend.index.embedding_rebuild import ensure_index
from backend.local_stack.database import database_faults
from backend.local_stack.roles import DatabaseRole, make_roles
from backend.observability.logging import configure_logging
from config import POSTGRESQL_PREFIXES, Settings

MIGRATIONS = str(Path(__file__).parents[2] / "migrations")
HEAD = "head"
PAST_THE_POOLER = "a pooler is in the way of migrations: set DATABASE_MIGRATION_URL to PostgreSQL's own address"


@click.group("db")
def database() -> None:
    """Change the version of the database's tables, or the roles that use them; report on its state."""


@database.command()
@click.argument("revision", default=HEAD)
def upgrade(revision: str) -> None:
    """Bring the tables up to REVISION (default: the newest), with DATABASE_ADMIN_URL after making the roles."""
    upgrade_tables(settings_with_database("migrate"), revision)


@database.command()
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION (default: one step; `base`: none left)."""
    with migrating_application(settings_with_database("migrate")):
        flask_migrate.downgrade(directory=MIGRATIONS, revision=revision)


@database.command()
def roles() -> None:
    """Make the roles of DATABASE_MIGRATION_URL, who owns the tables, and of DATABASE_URL, who uses them.

    Connects as the superuser of DATABASE_ADMIN_URL. Safe to repeat: tables change hands, passwords become those given.
    """
    _make_roles(settings_or_exit("migrate"))


@database.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
def report(as_json: bool) -> None:
    """Tell sizes, dead rows, and indexes that are missing, useless or broken."""
    with migrating_application(settings_with_database("migrate")):
        found = database_report()
    click.echo(json.dumps(found, default=str, indent=1) if as_json else "\n".join(report_lines(found)))


def upgrade_tables(settings: Settings, revision: str = HEAD) -> None:
    """Bring the tables up to a revision, after making the roles where DATABASE_ADMIN_URL is set."""
    with migrating_application(settings):
        if settings.DATABASE_ADMIN_URL:
            _make_roles(settings)
        if faults := database_faults(settings.libpq_address):
            refuse(*faults)
        flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)
        if revision == HEAD and settings.EMBEDDING_PROVIDER != "none":
            ensure_index(settings.EMBEDDING_DIMENSION)


@contextmanager
def migrating_application(settings: Settings) -> Iterator[None]:
    """Enter an application context for migrations, as the owner of the tables: no keys, no Redis."""
    configure_logging(settings)
    app = Flask("fuze")
    app.extensions["settings"] = settings
    bind_database(app, settings, settings.migration_url)
    with app.app_context(), database_answers():
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
        if app.extensions["database_connections"].is_pooled:
            refuse(PAST_THE_POOLER)
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def _make_roles(settings: Settings) -> None:
    admin, owner, application = (
        _role_of(settings, name) for name in ("DATABASE_ADMIN_URL", "DATABASE_MIGRATION_URL", "DATABASE_URL")
    )
    if len({admin.name, owner.name, application.name}) < 3:
        refuse("DATABASE_ADMIN_URL, DATABASE_MIGRATION_URL and DATABASE_URL must name three different roles")
    address = settings.database_address("DATABASE_ADMIN_URL").replace(*POSTGRESQL_PREFIXES[:2], 1)
    try:
        make_roles(address, owner, application)
    except psycopg2.Error as error:
        raise click.ClickException(f"the roles cannot be made: {str(error).strip().splitlines()[0]}") from None
    click.echo(f"{owner.name} owns the tables, {application.name} uses them")


def _role_of(settings: Settings, name: str) -> DatabaseRole:
    if not getattr(settings, name):
        refuse(f"{name} is missing")
    url = make_url(settings.database_address(name))
    if not url.username:
        refuse(f"{name} names no role")
    return DatabaseRole(url.username, url.password)
