"""The database of commands that also work while nothing runs: the embedded server, started for them alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from backend.local_stack.checks import StartupError, exclusive_lock
from backend.local_stack.postgres import EmbeddedPostgres
from config import Settings


@contextmanager
def available_database(settings: Settings, configured: Settings) -> Iterator[Settings]:
    """Yield settings whose database runs: the configured one, that of a running `up`, else the embedded one, started.

    Raises:
        StartupError: nothing is configured, and the data directory holds no database.
        ServerError: the embedded server cannot be started.
    """
    if configured.DATABASE_URL or configured.DATABASE_MIGRATION_URL:
        yield settings
        return
    data_dir = settings.FUZE_DATA_DIR
    if not (data_dir / EmbeddedPostgres.name).exists():
        raise StartupError(f"no database: set DATABASE_URL, or FUZE_DATA_DIR: {data_dir} holds none")
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive_lock(data_dir, "another command"))
        except StartupError:
            # `up` runs, and has left its addresses.
            if not settings.DATABASE_URL:
                raise
        else:
            server = stack.enter_context(EmbeddedPostgres(data_dir))
            settings = settings.model_copy(update=server.settings())
        yield settings


@contextmanager
def stopped_stack(settings: Settings, configured: Settings) -> Iterator[Settings]:
    """Yield settings whose database runs while `up` does not: the configured one, else the embedded one, started.

    Raises:
        StartupError: `up` runs on the data directory.
        ServerError: the embedded server cannot be started.
    """
    with exclusive_lock(settings.FUZE_DATA_DIR, "another command"):
        if configured.DATABASE_URL or configured.DATABASE_MIGRATION_URL:
            yield settings
            return
        with EmbeddedPostgres(settings.FUZE_DATA_DIR) as server:
            yield settings.model_copy(update=server.settings())


def empty_embedded_redis(settings: Settings) -> None:
    """Delete what the embedded Redis has stored; it must not run."""
    with suppress(FileNotFoundError):
        shutil.rmtree(settings.FUZE_DATA_DIR / "redis")
