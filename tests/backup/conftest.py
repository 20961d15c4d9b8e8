"""One server with tables full of rows, and a backup of it, for all tests of backups."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from backend.backup.service import make_backup
from config import Settings
from tests.backup.stored import Stored
from tests.support.rows import fill_empty_tables


@pytest.fixture(scope="module")
def stored(settings: Settings) -> Iterator[Stored]:
    """A database of its own on the server of the run, migrated, with a row in every table, and a data directory."""
    url = make_url(settings.database_url)
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE saved"))
    own = url.set(database="saved").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="fuze-backup-") as directory:
        data_dir = Path(directory, "var")
        (data_dir / "mail").mkdir(parents=True)
        (data_dir / "mail" / "1.eml").write_text("Subject: one")
        (data_dir / "secrets.json").write_text("{}")
        for left_out in ("postgres.log", "up.lock", "backups/yesterday"):
            (data_dir / left_out).parent.mkdir(exist_ok=True)
            (data_dir / left_out).write_text("left out")
        more = {"DATABASE_URL": own, "DATABASE_MIGRATION_URL": "", "FUZE_DATA_DIR": data_dir}
        stored = Stored(settings.model_copy(update=more), Path(directory, "fuze.backup"))
        stored.migrate()
        with stored.engine.begin() as connection:
            assert fill_empty_tables(connection) == set()
        make_backup(stored.path, stored.settings)
        yield stored
        stored.engine.dispose()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE saved WITH (FORCE)"))
    server.dispose()
