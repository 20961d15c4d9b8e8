"""Log files of a folder: one for each day in UTC, written by all processes together (R-LOG 4)."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROTATED_BYTES = 500 * 1000 * 1000
RETENTION = timedelta(days=30)
NAME = re.compile(r"app_(\d{4}-\d\d-\d\d)(?:\.\d+)?\.log")
# How often a process looks whether the file has been rotated, and tries to open a folder that it cannot write to.
LOOK_SECONDS = 1.0
# A folder with less space than that is full.
LEAST_FREE_BYTES = 1_000_000
FILE_MODE = 0o640


class DailyLogFile:
    """The file of the day, `app_YYYY-MM-DD.log`, in one folder.

    Every process opens it for itself and appends whole lines by one system call each, which the kernel does not mix. At
    500 MB the file gets a number, and a new one begins; files of more than 30 days ago are deleted. A disk that is full
    and a folder that is missing or not writable stop nobody: lines are counted instead, and written again as soon as
    that works.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None], notice: Callable[[str], str]) -> None:
        """Open nothing yet.

        Args:
            folder: Where the files are; it is made with the first line.
            tell: Tells elsewhere that the file cannot be written, and that it can be again.
            notice: Formats a notice of this class as a line.
        """
        self.fault: str | None = None
        self.folder, self._tell, self._notice = folder, tell, notice
        self._descriptor: int | None = None
        self._path = folder
        self._day = -1
        self._looked_at = 0.0
        self._lost = 0
        self._is_broken_off = False

    def write(self, lines: str) -> None:
        """Append whole lines, each with its end; never raises."""
        try:
            descriptor = self._open_current()
            if self._lost:
                self._append(descriptor, self._notice(f"{self._lost} lines were not written: {self.fault}"))
                self._recover()
            self._append(descriptor, lines)
        except OSError as error:
            self._lost += lines.count("\n")
            self._fail(error.strerror or str(error))

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        self._is_broken_off = False
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)

    def _open_current(self) -> int:
        """Return the descriptor of the present file: another day or another process may have begun a new one.

        Raises:
            OSError: the folder is missing or not writable.
        """
        day, now = int(time.time() // 86_400), time.monotonic()
        if day == self._day and now - self._looked_at < LOOK_SECONDS:
            if self._descriptor is None:
                raise OSError(self.fault)
            return self._descriptor
        self._looked_at = now
        if day != self._day:
            self.close()
            self._day = day
            self._path = self.folder / f"app_{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}.log"
            self._purge()
        if self._descriptor is not None and not _is_same(self._descriptor, self._path):
            self.close()
        if self._descriptor is None:
            self._descriptor = self._open()
        if os.fstat(self._descriptor).st_size >= ROTATED_BYTES:
            self._rotate()
        return self._descriptor

    def _open(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)

    def _rotate(self) -> None:
        """Number the full file and begin a new one, unless another process has done so."""
        with _locked(self.folder):
            if self._descriptor is not None and _is_same(self._descriptor, self._path):
                self._path.rename(next(path for path in self._numbered() if not path.exists()))
            self.close()
            self._descriptor = self._open()

    def _numbered(self) -> Iterator[Path]:
        number = 0
        while True:
            number += 1
            yield self._path.with_suffix(f".{number}.log")

    def _purge(self) -> None:
        """Delete the files of days that are long past."""
        oldest = datetime.fromtimestamp(self._day * 86_400, UTC).date() - RETENTION
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                name = NAME.fullmatch(path.name)
                if name and date.fromisoformat(name[1]) < oldest:
                    path.unlink(missing_ok=True)

    def _append(self, descriptor: int, lines: str) -> None:
        data = lines.encode(errors="backslashreplace")
        if self._is_broken_off:
            data = b"\n" + data
        written = os.write(descriptor, data)
        self._is_broken_off = written < len(data)
        if self._is_broken_off:
            # The disk has become full within a line; the second call names the reason.
            written += os.write(descriptor, data[written:])
            self._is_broken_off = written < len(data)

    def _fail(self, reason: str) -> None:
        if self.fault is None:
            self._tell(f"the log file in {self.folder} cannot be written: {reason}")
        self.fault = reason

    def _recover(self) -> None:
        self._tell(f"the log file in {self.folder} is written again; {self._lost} lines are missing")
        self._lost, self.fault = 0, None


def is_full(folder: Path) -> bool:
    """Tell whether the disk of a folder has no space for more lines."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LEAST_FREE_BYTES


def _is_same(descriptor: int, path: Path) -> bool:
    """Whether this open file is still the one of this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which the processes that write there share."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
