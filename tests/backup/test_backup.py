"""A backup holds everything of one moment; a restore brings it back, or changes nothing."""

from __future__ import annotations

import stat
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import flask_migrate
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from backend.backup import data_files, programs, service
from backend.backup.archive import DUMP, MANIFEST, BackupReader
from backend.backup.database import load
from backend.backup.errors import BackupError
from backend.backup.programs import ServerAddress, find_client_programs
from backend.backup.service import Restore, make_backup
from backend.cli.database import MIGRATIONS, migrating_application
from backend.extensions import Base
from tests.backup.stored import Stored

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
OTHER_TABLE = "CREATE TABLE of_somebody_else (id int); CREATE TYPE mood AS ENUM ('fine')"


def restore(stored: Stored, path: Path | None = None, **options: Any) -> Restore:
    with BackupReader(path or stored.path) as backup:
        job = Restore(backup, stored.settings, **options)
        job.check()
        job.load()
        return job


def changed(stored: Stored, path: Path, name: str, content: bytes) -> Path:
    """A copy of the backup with another member."""
    with ZipFile(stored.path) as original, ZipFile(path, "w") as copy:
        for member in original.namelist():
            copy.writestr(member, content if member == name else original.read(member))
        if name not in original.namelist():
            copy.writestr(name, content)
    return path


def test_what_was_dropped_comes_back_row_by_row(stored: Stored) -> None:
    rows, schema = stored.rows(), stored.schema()
    assert all(rows.values())
    assert {*rows} == {*Base.metadata.tables, "alembic_version"}
    stored.execute("DROP SCHEMA activity_partitions CASCADE; DROP TABLE bookmarks, tasks, jobs CASCADE")
    stored.execute(f"UPDATE organizations SET name = 'changed'; {OTHER_TABLE}")
    (stored.settings.FUZE_DATA_DIR / "mail" / "1.eml").unlink()
    restore(stored, replace=True)
    assert stored.rows() == rows
    assert stored.schema() == schema
    assert (stored.settings.FUZE_DATA_DIR / "mail" / "1.eml").read_text() == "Subject: one"
    stored.migrate()
    assert stored.rows() == rows


def test_a_backup_is_private_and_says_what_it_holds(stored: Stored) -> None:
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert list(stored.path.parent.glob(".fuze.backup*")) == []
    with BackupReader(stored.path) as backup:
        backup.verify()
        assert set(backup.manifest.members) == {DUMP, "files/mail/1.eml"}
        assert backup.manifest.rows == {name: len(rows) for name, rows in stored.rows().items()}
        assert backup.manifest.schema_revision == stored.rows()["alembic_version"][0].strip("()")


def test_a_backup_is_of_one_moment(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written while the dump runs is not in it."""
    before, dump = stored.rows(), service.dump

    def write_and_dump(*arguments: Any) -> None:
        stored.execute("INSERT INTO organizations (name, slug, personal) VALUES ('late', 'late', false)")
        dump(*arguments)

    monkeypatch.setattr(service, "dump", write_and_dump)
    make_backup(tmp_path / "running", stored.settings)
    assert len(stored.rows()["organizations"]) == len(before["organizations"]) + 1
    restore(stored, tmp_path / "running", replace=True)
    assert stored.rows() == before


def test_secrets_are_saved_and_restored_on_request_only(stored: Stored, tmp_path: Path) -> None:
    path, secrets = tmp_path / "with", stored.settings.FUZE_DATA_DIR / "secrets.json"
    make_backup(path, stored.settings, with_secrets=True)
    with BackupReader(path) as backup:
        assert "secrets.json" in backup.manifest.names("secrets/")
        # An .env of the directory that the tests run in must not be written over.
        backup.manifest.members = {name: of for name, of in backup.manifest.members.items() if ".env" not in name}
        secrets.write_text('{"other": 1}')
        with pytest.raises(BackupError, match=r"secrets\.json is there already"):
            Restore(backup, stored.settings, with_secrets=True)._refuse_files()
        assert [name for name, _ in Restore(backup, stored.settings)._targets()] == ["files/mail/1.eml"]
    with BackupReader(stored.path) as backup, pytest.raises(BackupError, match="holds no secrets"):
        Restore(backup, stored.settings, with_secrets=True).check()
    secrets.write_text("{}")


def test_another_key_is_noticed(stored: Stored) -> None:
    other = stored.settings.model_copy(update={"SECRET_KEY": SecretStr("x" * 40)})
    with BackupReader(stored.path) as backup:
        assert Restore(backup, other).has_other_key()
        assert not Restore(backup, stored.settings).has_other_key()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (DUMP, b"PGDMP of something else", "damaged: database.dump differs from its checksum"),
        ("files/more", b"", "damaged: its members are not those of its manifest"),
        (MANIFEST, b'{"format": 2}', r"made by a newer version of Fuze \(format 2"),
        (MANIFEST, b"{", "its manifest cannot be read"),
    ],
)
def test_a_damaged_backup_changes_nothing(stored: Stored, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    before = stored.rows()
    with pytest.raises(BackupError, match=said):
        restore(stored, changed(stored, tmp_path / "damaged", name, content), replace=True)
    assert stored.rows() == before


@pytest.mark.parametrize("name", ["files/../../etc/cron.d/x", "/etc/passwd", "files/./x", "more"])
def test_members_that_lead_elsewhere_are_refused(stored: Stored, tmp_path: Path, name: str) -> None:
    with ZipFile(stored.path) as original:
        manifest = original.read(MANIFEST).replace(b"files/mail/1.eml", name.encode())
    with pytest.raises(BackupError, match="has a member"):
        BackupReader(changed(stored, tmp_path / "hostile", MANIFEST, manifest))


def test_a_file_that_is_cut_off_or_something_else_is_refused(stored: Stored, tmp_path: Path) -> None:
    (tmp_path / "half").write_bytes(stored.path.read_bytes()[:20_000])
    with pytest.raises(BackupError, match="is no backup of Fuze, or its end is missing"):
        BackupReader(tmp_path / "half")
    with pytest.raises(BackupError, match="no such file"):
        BackupReader(tmp_path / "none")


def test_a_database_with_people_in_it_is_not_replaced_unasked(stored: Stored) -> None:
    with pytest.raises(BackupError, match="not empty: --replace"):
        restore(stored)


def test_a_database_in_use_and_a_newer_backup_are_refused(stored: Stored, tmp_path: Path) -> None:
    with BackupReader(stored.path) as backup:
        backup.manifest.schema_revision = "9999"
        with pytest.raises(BackupError, match="revision 9999, which this version does not know"):
            Restore(backup, stored.settings, replace=True).check()
    with stored.engine.connect() as other:
        other.execute(text("SET application_name = 'fuze'"))
        with pytest.raises(BackupError, match="1 sessions of Fuze use the database"):
            restore(stored, replace=True)


def test_a_load_that_fails_leaves_the_database_as_it_was(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored.rows()
    monkeypatch.setitem(service.load.__globals__["SQL"], "drop_everything", "DROP TABLE bookmarks CASCADE;")
    with pytest.raises(BackupError, match=r"psql failed: .*ERROR: .* already exists"):
        restore(stored, replace=True)
    assert stored.rows() == before


def test_a_dump_that_ends_early_is_not_committed(stored: Stored) -> None:
    """Even if its checksum were right: what pg_restore had written until then is rolled back."""
    before = stored.rows()
    with BackupReader(stored.path) as backup, backup.open(DUMP) as source:
        dump = source.read()
    found = find_client_programs(18, "pg_restore", "psql")
    with pytest.raises(BackupError, match="pg_restore failed"):
        load(ServerAddress.of(stored.settings.libpq_address), found, lambda: BytesIO(dump[:-2_000]))
    assert stored.rows() == before


def test_an_older_backup_is_migrated(stored: Stored, tmp_path: Path) -> None:
    before, schema = stored.rows(), stored.schema()
    with migrating_application(stored.settings):
        flask_migrate.downgrade(MIGRATIONS)
    make_backup(tmp_path / "older", stored.settings)
    stored.migrate()
    restore(stored, tmp_path / "older", replace=True)
    assert stored.rows_of("alembic_version") != before["alembic_version"]
    stored.migrate()
    assert stored.schema() == schema
    assert stored.rows()["bookmarks"] == before["bookmarks"]
    restore(stored, replace=True)
    assert stored.rows() == before


def test_a_backup_that_fails_leaves_nothing_behind(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "saved_files", lambda settings: [Path("gone"), Path("mail")])
    with pytest.raises(BackupError, match=r"cannot read .*mail: is a directory"):
        make_backup(tmp_path / "failed", stored.settings)
    with pytest.raises(BackupError, match=r"cannot write .*: no such file"):
        make_backup(tmp_path / "missing" / "failed", stored.settings)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_does_not_go_where_the_next_one_would_save_it(stored: Stored) -> None:
    with pytest.raises(BackupError, match="is in the data directory"):
        make_backup(stored.settings.FUZE_DATA_DIR / "fuze.backup", stored.settings)
    data_files.refuse_place(stored.settings.FUZE_DATA_DIR / "backups" / "today", stored.settings)


def test_programs_that_are_too_old_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackupError, match=r"^no pg_dump of PostgreSQL 99 or newer found; found only .*18.*: install"):
        find_client_programs(99, "pg_dump")
    monkeypatch.setattr(programs, "_directories", lambda: iter([Path("/nowhere")]))
    with pytest.raises(BackupError, match="no pg_restore and psql of PostgreSQL 15 or newer found: install"):
        find_client_programs(15, "pg_restore", "psql")


def test_no_password_is_on_a_command_line() -> None:
    address = ServerAddress.of("postgresql://ada:a%40b@db.example.org:5433/fuze?sslmode=require")
    assert "a@b" not in address.dsn
    assert "sslmode=require" in address.dsn
    assert address.environment()["PGPASSWORD"] == "a@b"
