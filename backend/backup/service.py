"""Making, verifying and restoring backups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from zipfile import ZipFile

from backend.backup.archive import (
    DUMP,
    FILES,
    SECRETS,
    BackupManifest,
    BackupReader,
    BackupWriter,
    new_private_file,
)
from backend.backup.data_files import SECRETS_FILE, differing, put_file, refuse_place, saved_files, secret_files
from backend.backup.database import DatabaseSession, connect, dump, load
from backend.backup.errors import BackupError
from backend.backup.programs import DUMP as DUMP_PROGRAM
from backend.backup.programs import RESTORE, SHELL, ServerAddress, find_client_programs
from backend.clock import utc_now
from backend.encryption import derive_key
from backend.health.revisions import code_revision, known_revisions
from config import VERSION, Settings

LABEL = b"fuze key check of backups v1"


def make_backup(path: Path, settings: Settings, *, with_secrets: bool = False) -> BackupManifest:
    """Write the database and the files of the data directory, as they are at one moment, into a private file.

    Raises:
        BackupError: nothing was written.
    """
    refuse_place(path, settings)
    secrets = {name: file for name, file in secret_files(settings).items() if with_secrets and file.exists()}
    if with_secrets and not secrets:
        raise BackupError("there are no secrets to save: neither .env nor secrets.json in the data directory is here")
    try:
        with connect(settings) as session, new_private_file(path) as file, ZipFile(file, "w") as archive:
            writer = BackupWriter(archive)
            manifest = _dump_database(session, settings, writer)
            _add_files(writer, settings, secrets)
            manifest.members = writer.members
            writer.finish(manifest)
    except OSError as error:
        raise BackupError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
    return manifest


def _dump_database(session: DatabaseSession, settings: Settings, writer: BackupWriter) -> BackupManifest:
    programs = find_client_programs(session.server, DUMP_PROGRAM)
    snapshot = session.begin_snapshot()
    revision = session.revision()
    if revision is None:
        raise BackupError("the database has no tables of Fuze: there is nothing to save")
    manifest = BackupManifest(
        created_at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        version=VERSION,
        code_revision=settings.GIT_REVISION or code_revision(),
        schema_revision=revision,
        server=session.server,
        dump_program=programs.version,
        key_check=_key_check(settings),
        rows=session.count_rows(),
        members={},
    )
    address = ServerAddress.of(settings.libpq_address)
    dump(address, programs, snapshot, partial(writer.add, DUMP, compress=False))
    return manifest


def _add_files(writer: BackupWriter, settings: Settings, secrets: dict[str, Path]) -> None:
    named = {f"{SECRETS}{name}": path for name, path in secrets.items()}
    named |= {f"{FILES}{path.as_posix()}": settings.FUZE_DATA_DIR / path for path in saved_files(settings)}
    for name, path in named.items():
        try:
            source = path.open("rb")
        except FileNotFoundError:
            continue  # A file that has just been deleted.
        except OSError as error:
            raise BackupError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
        with source:
            writer.add(name, source, compress=True)


def _key_check(settings: Settings) -> str | None:
    """Return a digest that tells whether two keys are the same, and nothing else of a key made at random."""
    secret = settings.SECRET_KEY.get_secret_value()
    return blake2b(b"", key=derive_key(secret, LABEL), digest_size=8).hexdigest() if secret else None


@dataclass(frozen=True)
class Restore:
    """Restore of one backup into a database and a data directory."""

    backup: BackupReader
    settings: Settings
    replace: bool = False
    with_secrets: bool = False

    def check(self) -> None:
        """Verify the backup and look at what is there, before anything is touched.

        Raises:
            BackupError: the backup is damaged or too new, or something would be lost that nobody said to replace.
        """
        manifest = self.backup.manifest
        if manifest.schema_revision not in known_revisions():
            raise BackupError(
                f"the tables of the backup have revision {manifest.schema_revision}, which this version does not know: "
                f"it was made by a newer one ({manifest.version})"
            )
        if self.with_secrets and not manifest.names(SECRETS):
            raise BackupError("the backup holds no secrets: it was made without --with-secrets")
        self.backup.verify()
        with connect(self.settings) as session:
            self._refuse_database(session)
        if not self.replace:
            self._refuse_files(is_empty=True)  # Any other database has been refused.

    def load(self) -> None:
        """Load the database, then write the files. Call `check` first.

        Raises:
            BackupError: the database is as it was before, or a file cannot be written.
        """
        with connect(self.settings) as session:
            least = max(session.server, self.backup.manifest.dump_program)
        programs = find_client_programs(least, RESTORE, SHELL)
        load(ServerAddress.of(self.settings.libpq_address), programs, partial(self.backup.open, DUMP))
        owner = self.settings.FUZE_DATA_DIR.stat()
        for name, target in self._targets():
            try:
                with self.backup.open(name) as source:
                    put_file(target, source, owner)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise BackupError(f"the database is restored, but {target} cannot be written: {reason}") from None

    def has_other_key(self) -> bool:
        """Tell whether what the backup stores encrypted cannot be read with the SECRET_KEY of the settings."""
        check, own = self.backup.manifest.key_check, _key_check(self.settings)
        return not self.with_secrets and None not in (check, own) and check != own

    def _targets(self) -> Iterator[tuple[str, Path]]:
        manifest = self.backup.manifest
        for name in manifest.names(FILES):
            yield f"{FILES}{name}", self.settings.FUZE_DATA_DIR / name
        places = secret_files(self.settings)
        for name in manifest.names(SECRETS) if self.with_secrets else []:
            yield f"{SECRETS}{name}", places[name]

    def _refuse_files(self, *, is_empty: bool = False) -> None:
        for name, target in self._targets():
            if is_empty and target.name == SECRETS_FILE:
                continue  # Made for a database that holds nothing: nothing is encrypted with them.
            with self.backup.open(name) as source:
                if differing(target, source):
                    raise BackupError(f"{target} is there already, with another content: --replace overwrites it")

    def _refuse_database(self, session: DatabaseSession) -> None:
        if session.server < self.backup.manifest.server:
            raise BackupError(
                f"the backup is of PostgreSQL {self.backup.manifest.server}, the server is {session.server}"
            )
        if others := session.count_others():
            raise BackupError(f"{others} sessions of Fuze use the database: stop Fuze first")
        if not self.replace and not session.is_empty():
            raise BackupError("the database is not empty: --replace drops everything that is in it")


def summary(manifest: BackupManifest, path: Path) -> str:
    """Describe a backup in a few lines."""
    files, secrets = len(manifest.names(FILES)), len(manifest.names(SECRETS))
    lines = {
        "Backup": f"{path}, {os.path.getsize(path):,} bytes",
        "Made": f"{manifest.created_at} by Fuze {manifest.version}, PostgreSQL {manifest.server}",
        "Tables": f"revision {manifest.schema_revision}, {sum(manifest.rows.values()):,} rows in {len(manifest.rows)}",
        "Files": f"{files}, and {secrets} with secrets" if secrets else f"{files}, no secrets",
    }
    return "\n".join(f"{label + ':':<8} {text}" for label, text in lines.items())
