"""Base of the embedded PostgreSQL and Redis."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from backend.local_stack.processes import spawn, terminate

SOCKET_PATH_MAX = 103  # sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL.
PLAIN_PATH = re.compile(r"[\w./-]+", re.ASCII)  # No character with a meaning in connection strings.


class ServerError(Exception):
    """An embedded server cannot be started; the message is one readable line."""


class EmbeddedServer(ABC):
    """Server on a Unix socket below `data_dir`, run as a child in the foreground.

    Use it as a context manager, or let a supervisor run `command()` as `user` with `environment()`. `durable=False` is
    for tests: faster, not safe against a power cut.
    """

    name: ClassVar[str]
    socket_name: ClassVar[str]
    stop_signal: ClassVar[int] = signal.SIGTERM
    death_signal: ClassVar[int] = signal.SIGKILL

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.directory = self.data_dir / self.name
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> bool:
        """Make the files that the server needs; return whether it is the first start.

        Raises:
            ServerError: something is missing.
        """

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether the server answers, and has everything that Fuze needs."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Return the address with all rights."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Return the addresses that Fuze uses, by the names of the settings."""

    @property
    def user(self) -> int | None:
        """Return the id of the user that the server must run as; None for the present one."""
        return None

    def environment(self) -> dict[str, str]:
        """Return the server's whole environment, without secrets of Fuze."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    @property
    def socket_dir(self) -> Path:
        """Return the server's directory, or a private one elsewhere where its path is too long or special."""
        path = str(self.directory / self.socket_name)
        if len(os.fsencode(path)) <= SOCKET_PATH_MAX and PLAIN_PATH.fullmatch(path):
            return self.directory
        digest = hashlib.sha256(os.fsencode(self.directory.resolve())).hexdigest()[:16]
        folder = f"fuze-{self.name}-{digest}"
        for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # nosec B108
            path = str(base / folder / self.socket_name)
            if len(os.fsencode(path)) <= SOCKET_PATH_MAX and PLAIN_PATH.fullmatch(path):
                return base / folder
        raise ServerError(f"no directory for the socket of {self.name} has a path that is short enough")

    def make_data_dir(self) -> None:
        """Make `data_dir` if it is missing.

        Raises:
            ServerError: it cannot be made.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServerError(f"cannot use {self.data_dir}: {error.strerror}") from None

    def make_private(self, directory: Path) -> None:
        """Make a directory that only the server's user can enter, and refuse one of another owner.

        Raises:
            ServerError: the path has another owner, or cannot be a directory.
        """
        owner = os.geteuid() if self.user is None else self.user
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            status = directory.lstat()
            if status.st_uid == os.geteuid() != owner:
                os.chown(directory, owner, -1, follow_symlinks=False)
                status = directory.lstat()
        except OSError as error:
            raise ServerError(f"cannot use {directory}: {error.strerror}") from None
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner:
            raise ServerError(f"{directory} belongs to somebody else")
        if stat.S_IMODE(status.st_mode) != 0o700:
            directory.chmod(0o700)

    def start(self) -> None:
        """Prepare and start the server as a child of this process; output goes to `<data_dir>/<name>.log`."""
        self.prepare()
        with self.log_file.open("ab") as log:
            self.process = spawn(
                self.command(),
                env=self.environment(),
                user=self.user,
                cwd=Path("/"),
                output=log,
                death_signal=self.death_signal,
            )

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until the server that `start` started answers.

        Raises:
            ServerError: it ended, or did not answer within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.process is not None and self.process.poll() is not None:
                raise ServerError(f"{self.name} ended with {self.process.returncode}: {self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} does not answer after {timeout:g} s: {self._log_tail()}")
            time.sleep(0.02)

    def stop(self, timeout: float = 30) -> None:
        """Stop the server that `start` started; do nothing if it does not run."""
        if self.process is not None:
            terminate(self.process, self.stop_signal, timeout)
            self.process = None
        self.clean_up()

    def clean_up(self) -> None:
        """Remove the files of a stopped server outside its data directory."""
        if self.socket_dir != self.directory:
            with suppress(OSError):  # Missing, or not empty.
                self.socket_dir.rmdir()

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log_file(self) -> Path:
        """Return the file of the server's output."""
        return self.data_dir / f"{self.name}.log"

    def _log_tail(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        return " / ".join(lines[-3:]) or "no output"
