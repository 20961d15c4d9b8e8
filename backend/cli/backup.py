"""Commands that make, verify and restore backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import redis

from backend.backup.archive import SECRETS, BackupReader
from backend.backup.errors import BackupError
from backend.backup.service import Restore, make_backup, summary
from backend.cli.database import upgrade_tables
from backend.cli.settings import settings_or_exit
from backend.local_stack.checks import StartupError
from backend.local_stack.database import database_faults
from backend.local_stack.offline import available_database, empty_embedded_redis, stopped_stack
from backend.local_stack.servers import ServerError
from backend.observability.logging import configure_logging
from backend.redis.client import connect_redis
from backend.redis.faults import redis_fault
from config import Settings

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
OTHER_KEY = (
    "SECRET_KEY is not that of the backup: what is stored encrypted cannot be read. Set the former one, or add it to"
    " PREVIOUS_SECRET_KEYS and run `python -m backend rotate-keys`"
)
EMPTY_REDIS = (
    "Empty Redis before the start (redis-cli FLUSHDB): it holds cached responses and logins of the former data."
)


@click.command()
@FILE
@click.option("--with-secrets", is_flag=True, help="Save .env and the keys in the data directory too.")
@click.option("--verify", is_flag=True, help="Only read FILE whole, and compare it with its checksums.")
def backup(file: Path, with_secrets: bool, verify: bool) -> None:
    """Save the database and the files of the data directory in FILE, as they are at one moment.

    Fuze may run meanwhile or not. Only the owner can read FILE, which is there once it is whole.
    """
    with _one_line():
        if verify:
            with BackupReader(file) as reader:
                reader.verify()
                click.echo(f"{summary(reader.manifest, file)}\nAll checksums are right.")
            return
        settings = _settings()
        with available_database(settings, Settings()) as available:
            manifest = make_backup(file, available, with_secrets=with_secrets)
        click.echo(summary(manifest, file))


@click.command()
@FILE
@click.option("--replace", is_flag=True, help="Drop what is in the database; overwrite files.")
@click.option("--with-secrets", is_flag=True, help="Restore .env and the keys of the data directory too.")
def restore(file: Path, replace: bool, with_secrets: bool) -> None:
    """Load a backup into the database and the data directory, then migrate to the newest tables.

    Fuze must be stopped. Everything is checked before anything changes; the database changes in one transaction.
    """
    with _one_line(), BackupReader(file) as reader:
        settings, configured = _settings(), Settings()
        with stopped_stack(settings, configured) as available:
            if faults := database_faults(available.libpq_address):
                raise BackupError(faults[0])
            client = connect_redis(configured) if configured.REDIS_URL else None
            if client:
                client.ping()
            job = Restore(reader, available, replace=replace, with_secrets=with_secrets)
            job.check()
            job.load()
            click.echo(f"Restored {sum(reader.manifest.rows.values()):,} rows of {reader.manifest.created_at}")
            _empty_redis(client, available)
            upgrade_tables(available)
        _warn(job)


def _settings() -> Settings:
    settings = settings_or_exit("migrate")
    settings.FUZE_DATA_DIR = settings.FUZE_DATA_DIR.expanduser().absolute()
    configure_logging(settings)
    return settings


def _empty_redis(client: redis.Redis | None, settings: Settings) -> None:
    """Forget cached responses, logins and messages: they are of the data before."""
    if client:
        _delete_all(client)
    elif (settings.FUZE_DATA_DIR / "redis").exists():
        empty_embedded_redis(settings)
    else:
        click.echo(EMPTY_REDIS)


def _delete_all(client: redis.Redis) -> None:
    try:
        client.flushdb()
    except redis.exceptions.NoPermissionError:
        # The user that Fuze needs may run no dangerous command.
        for key in client.scan_iter(count=1_000):
            client.unlink(key)


def _warn(job: Restore) -> None:
    if job.has_other_key():
        click.echo(f"Warning: {OTHER_KEY}.", err=True)
    if job.backup.manifest.names(SECRETS) and not job.with_secrets:
        click.echo("The secrets of the backup were left out: --with-secrets restores them.")


@contextmanager
def _one_line() -> Iterator[None]:
    """Report faults in one line.

    Raises:
        ClickException: one of these.
    """
    try:
        yield
    except (BackupError, StartupError, ServerError) as error:
        raise click.ClickException(str(error)) from None
    except redis.RedisError as error:
        raise click.ClickException(f"a restore empties Redis: {redis_fault(error)}") from None
