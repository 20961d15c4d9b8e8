"""`python -m backend backup` and `restore`, on data directories of an embedded stack that does not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from backend.cli import backup as commands
from backend.cli import database as database_commands
from backend.cli import main
from backend.local_stack import offline
from backend.local_stack.postgres import EmbeddedPostgres
from tests.backup.stored import Stored
from tests.support.stack import NOT_INHERITED

pytestmark = [pytest.mark.integration, pytest.mark.processes]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands log as the run does, and their servers need not survive a power cut."""
    for module in (commands, database_commands):
        monkeypatch.setattr(module, "configure_logging", lambda settings: None)
    monkeypatch.setattr(offline, "EmbeddedPostgres", _EphemeralPostgres)


class _EphemeralPostgres(EmbeddedPostgres):
    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, durable=False)


def run(data_dir: Path, *arguments: str) -> Result:
    hidden = dict.fromkeys(NOT_INHERITED)
    return CliRunner().invoke(
        main, arguments, env={**hidden, "FUZE_DATA_DIR": str(data_dir), "EMBEDDING_PROVIDER": "none"}
    )


@pytest.mark.usefixtures("in_this_process")
def test_a_backup_moves_to_a_new_data_directory_and_is_made_while_nothing_runs(stored: Stored) -> None:
    """The way to another machine: the database is made, filled and migrated by one command."""
    data_dir, second = stored.path.parent / "elsewhere", stored.path.parent / "second"
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis" / "appendonly.aof").write_text("of the data before")
    restored = run(data_dir, "restore", str(stored.path))
    assert restored.exit_code == 0, restored.output
    assert "Restored " in restored.stdout
    assert "Warning: SECRET_KEY is not that of the backup" in restored.stderr
    assert not (data_dir / "redis").exists()
    assert (data_dir / "mail" / "1.eml").read_text() == "Subject: one"

    with EmbeddedPostgres(data_dir, durable=False) as server:
        engine = create_engine(server.application_url, poolclass=NullPool)
        with engine.begin() as connection:
            # The application's role has its rights on what the owner has loaded.
            connection.execute(text("UPDATE bookmarks SET title = 'changed'"))
            assert connection.scalar(text("SELECT title FROM bookmarks")) == "changed"

    made = run(data_dir, "backup", str(second), "--with-secrets")
    assert made.exit_code == 0, made.output
    assert "Files:   1, and 1 with secrets" in made.stdout
    assert set(json.loads((data_dir / "secrets.json").read_text())) == {"SECRET_KEY", "JWT_SECRET_KEY"}
    assert run(data_dir, "backup", "--verify", str(second)).stdout.endswith("All checksums are right.\n")

    third = stored.path.parent / "third"
    moved = run(third, "restore", str(second), "--with-secrets")
    assert moved.exit_code == 0, moved.output
    assert (third / "secrets.json").read_text() == (data_dir / "secrets.json").read_text()
    assert "Warning" not in moved.stderr


@pytest.mark.usefixtures("in_this_process")
def test_faults_are_told_in_one_line(tmp_path: Path) -> None:
    missing = run(tmp_path, "backup", str(tmp_path / "x"))
    assert missing.exit_code == 1
    assert missing.stderr == f"Error: no database: set DATABASE_URL, or FUZE_DATA_DIR: {tmp_path} holds none\n"
    damaged = run(tmp_path, "backup", "--verify", str(tmp_path / "x"))
    assert damaged.stderr == f"Error: cannot read {tmp_path / 'x'}: no such file or directory\n"
