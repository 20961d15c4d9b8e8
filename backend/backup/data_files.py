"""Files of a backup: those of the data directory that nothing makes again, and on request the secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from backend.backup.archive import PIECE_BYTES, new_private_file
from backend.backup.errors import BackupError
from config import Settings

# Servers whose data is saved otherwise or not at all, what is computed again, what belongs to running processes.
LEFT_OUT = {"postgres", "postgres.draft", "redis", "metrics", "models", "exports", "logs", "up.lock", "stack.json"}
LEFT_OUT_ENDINGS = (".log", ".draft", ".sock")
BACKUPS = "backups"
SECRETS_FILE, ENVIRONMENT_FILE = "secrets.json", ".env"
PRIVATE_DIRECTORY = 0o700


def saved_files(settings: Settings) -> Iterator[Path]:
    """Yield the files to save, as paths below the data directory. Links are not followed."""
    data_dir = settings.FUZE_DATA_DIR
    logs = settings.LOG_DIR.absolute() if settings.LOG_DIR else None
    for folder, folders, names in os.walk(data_dir):
        here = Path(folder)
        if here == data_dir:
            folders[:] = [name for name in folders if name not in LEFT_OUT and name != BACKUPS]
            names = [name for name in names if name not in LEFT_OUT and not name.startswith("secrets.")]
            names = [name for name in names if not name.endswith(LEFT_OUT_ENDINGS)]
        folders[:] = sorted(name for name in folders if (here / name).absolute() != logs)
        for name in sorted(names):
            if (here / name).is_file() and not (here / name).is_symlink():
                yield (here / name).relative_to(data_dir)


def secret_files(settings: Settings) -> dict[str, Path]:
    """Return where the files with secrets are or would be, by their names in a backup."""
    return {SECRETS_FILE: settings.FUZE_DATA_DIR / SECRETS_FILE, ENVIRONMENT_FILE: Path(ENVIRONMENT_FILE).absolute()}


def refuse_place(path: Path, settings: Settings) -> None:
    """Refuse to write a backup where the next one would take it for data.

    Raises:
        BackupError: it is in the data directory.
    """
    data_dir = settings.FUZE_DATA_DIR.resolve()
    target = path.absolute().parent.resolve()
    if target.is_relative_to(data_dir) and not target.is_relative_to(data_dir / BACKUPS):
        raise BackupError(f"{path} is in the data directory: name another place, or one below {data_dir / BACKUPS}")


def differing(target: Path, source: IO[bytes]) -> bool:
    """Tell whether a file is there already with another content."""
    if not target.exists():
        return False
    with target.open("rb") as present:
        while True:
            pieces = present.read(PIECE_BYTES), source.read(PIECE_BYTES)
            if pieces[0] != pieces[1]:
                return True
            if not pieces[0]:
                return False


def put_file(target: Path, source: IO[bytes], owner: os.stat_result) -> None:
    """Write a file at once, private, for the owner of the data directory where that is somebody else."""
    target.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    with new_private_file(target) as file:
        shutil.copyfileobj(source, file)
        if os.geteuid() == 0:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
