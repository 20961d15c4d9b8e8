"""File of a backup: a ZIP of the dump, files and secrets, and a manifest with a checksum of each.

The manifest comes last, so that members are written as they are read: nothing is stored twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel, ValidationError

from backend.backup.errors import BackupError

FORMAT: Literal[1] = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
FILES, SECRETS = "files/", "secrets/"
PIECE_BYTES = 1024 * 1024
# A manifest names each file of the data directory: of more than this nobody has made a backup.
MOST_MANIFEST_BYTES = 256 * 1024 * 1024
PRIVATE = 0o600
STATED_FORMAT = re.compile(rb'"format":\s*(\d+)')


class BackupMember(BaseModel):
    """One member of a backup."""

    bytes: int
    sha256: str


class BackupManifest(BaseModel):
    """What a backup says of itself."""

    format: Literal[1] = FORMAT
    created_at: str
    version: str
    code_revision: str | None = None
    schema_revision: str
    # Of PostgreSQL, as its major version.
    server: int
    dump_program: int
    # A digest that tells whether SECRET_KEY is the same; None where the backup was made without it.
    key_check: str | None = None
    rows: dict[str, int]
    members: dict[str, BackupMember]

    def names(self, folder: str) -> list[str]:
        """Return the names of the members below a folder, without it."""
        return [name.removeprefix(folder) for name in self.members if name.startswith(folder)]


class BackupWriter:
    """Writer of the members of a backup."""

    def __init__(self, archive: ZipFile) -> None:
        """Write to an open archive."""
        self._archive = archive
        self.members: dict[str, BackupMember] = {}

    def add(self, name: str, source: IO[bytes], *, compress: bool) -> None:
        """Copy a stream into a member."""
        info = ZipInfo(name)
        info.compress_type = ZIP_DEFLATED if compress else ZIP_STORED
        info.external_attr = PRIVATE << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            while piece := source.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        self.members[name] = BackupMember(bytes=size, sha256=digest.hexdigest())

    def finish(self, manifest: BackupManifest) -> None:
        """Write the manifest."""
        self._archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))


class BackupReader:
    """Reader of a backup; a context manager. Whoever uses a member calls `verify` first."""

    def __init__(self, path: Path) -> None:
        """Open a file and read its manifest.

        Raises:
            BackupError: the file cannot be read, is no backup, is cut off, or has a newer format.
        """
        try:
            self._archive = ZipFile(path)
        except OSError as error:
            raise BackupError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
        except BadZipFile:
            raise BackupError(f"{path} is no backup of Fuze, or its end is missing") from None
        self.path = path
        try:
            self.manifest = self._read_manifest()
        except BackupError:
            self._archive.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def verify(self) -> None:
        """Read everything and compare it with the manifest.

        Raises:
            BackupError: a member is damaged, missing or not in the manifest.
        """
        found = self._archive.namelist()
        if sorted(found) != sorted([*self.manifest.members, MANIFEST]):
            raise BackupError(f"{self.path} is damaged: its members are not those of its manifest")
        for name, member in self.manifest.members.items():
            if self._digest(name) != (member.bytes, member.sha256):
                raise BackupError(f"{self.path} is damaged: {name} differs from its checksum")

    def open(self, name: str) -> IO[bytes]:
        """Open a member to read it."""
        return self._archive.open(name)

    def _read_manifest(self) -> BackupManifest:
        try:
            if self._archive.getinfo(MANIFEST).file_size > MOST_MANIFEST_BYTES:
                raise BackupError(f"{self.path} is no backup of Fuze: its manifest is too long")
            text = self._archive.read(MANIFEST)
        except KeyError:
            raise BackupError(f"{self.path} is no backup of Fuze: it has no manifest") from None
        except (BadZipFile, OSError, EOFError):
            raise BackupError(f"{self.path} is damaged: its manifest cannot be read") from None
        try:
            manifest = BackupManifest.model_validate_json(text)
        except ValidationError:
            raise BackupError(f"{self.path} {_manifest_fault(text)}") from None
        _refuse_names(manifest.members)
        return manifest

    def _digest(self, name: str) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        try:
            with self.open(name) as source:
                while piece := source.read(PIECE_BYTES):
                    digest.update(piece)
                    size += len(piece)
        except (BadZipFile, OSError, ValueError, EOFError):
            return -1, ""  # Damaged where the archive itself notices it.
        return size, digest.hexdigest()


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that only its owner can read, and that gets its name once it is written whole.

    Raises:
        OSError: the directory is missing or not writable, or the disk is full.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    _flush_directory(path.parent)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest_fault(text: bytes) -> str:
    stated = STATED_FORMAT.search(text)
    if stated and int(stated[1]) > FORMAT:
        return f"was made by a newer version of Fuze (format {int(stated[1])}, this one reads {FORMAT})"
    return "is damaged: its manifest cannot be read"


def _refuse_names(names: Iterable[str]) -> None:
    """Refuse names that lead out of the directory that is restored."""
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or str(path) != name:
            raise BackupError(f"the backup has a member with the name {name!r}: it was not made by Fuze")
        if name != DUMP and not name.startswith((FILES, SECRETS)):
            raise BackupError(f"the backup has a member that this version does not know: {name!r}")
