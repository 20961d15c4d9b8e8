"""PostgreSQL's client programs: found by version, run without passwords on their command lines."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg2.extensions import make_dsn, parse_dsn

from backend.backup.errors import BackupError
from backend.local_stack.postgres import find_programs
from backend.local_stack.processes import inherited_environment
from backend.local_stack.servers import ServerError

DUMP, RESTORE, SHELL = "pg_dump", "pg_restore", "psql"
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
# Where Debian and the packages of PostgreSQL itself install each version.
INSTALLATIONS = ((Path("/usr/lib/postgresql"), "*/bin"), (Path("/usr"), "pgsql-*/bin"))


@dataclass(frozen=True)
class ClientPrograms:
    """Directory of `pg_dump`, `pg_restore` and `psql` of one version."""

    directory: Path
    version: int

    def path(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.directory / name)


@dataclass(frozen=True)
class ServerAddress:
    """Address of a database, its password apart."""

    dsn: str
    password: str

    @classmethod
    def of(cls, libpq_address: str) -> ServerAddress:
        """Take the password out of an address: other users of the machine see command lines."""
        parts: dict[str, Any] = parse_dsn(libpq_address)
        password = parts.pop("password", "")
        return cls(make_dsn(**parts), password)

    def environment(self) -> dict[str, str]:
        """Return the environment of a program that connects to it."""
        password = {"PGPASSWORD": self.password} if self.password else {}
        return inherited_environment(LC_ALL="C", PGAPPNAME="fuze backup", **password)


def find_client_programs(least: int, *names: str) -> ClientPrograms:
    """Find the oldest installed version of some programs that is new enough: what it writes, most servers read.

    Raises:
        BackupError: there is none.
    """
    found = {version: directory for directory in _directories() if (version := _version_of(directory, names))}
    fitting = sorted(version for version in found if version >= least)
    if fitting:
        return ClientPrograms(found[fitting[0]], fitting[0])
    others = f"; found only {', '.join(map(str, sorted(found)))}" if found else ""
    raise BackupError(
        f"no {' and '.join(names)} of PostgreSQL {least} or newer found{others}: "
        f"install them, such as Debian's postgresql-client-{least}"
    )


@contextmanager
def running(address: ServerAddress, argv: list[str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the block, and wait for its end.

    Raises:
        BackupError: the program failed: its first error, in one line.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # nosec B603
            argv, env=address.environment(), stderr=errors, **{"stdin": subprocess.DEVNULL, **streams}
        )
        with process:
            try:
                yield process
                if process.stdin:
                    process.stdin.close()
            except BrokenPipeError:
                process.wait()  # It ended before it had read everything: it says why.
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise BackupError(f"{Path(argv[0]).name} failed: {_first_error(errors) or process.returncode}")


def _directories() -> Iterator[Path]:
    if on_path := shutil.which(DUMP):
        yield Path(on_path).parent
    for base, pattern in INSTALLATIONS:
        yield from sorted(base.glob(pattern))
    # Last, so that of one version these are taken: they belong to the embedded server.
    try:
        yield find_programs()
    except ServerError:
        return


def _version_of(directory: Path, names: tuple[str, ...]) -> int:
    """Return the version of the programs in a directory; 0 where one is missing or does not run."""
    if not all((directory / name).exists() for name in names):
        return 0
    try:
        said = subprocess.run(  # nosec B603
            [str(directory / names[0]), "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    version = VERSION.search(said)
    return int(version[1]) if version else 0


def _first_error(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(64 * 1024).decode(errors="replace").splitlines()
    faults = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()]
    return next(iter(faults or lines), "").strip()
