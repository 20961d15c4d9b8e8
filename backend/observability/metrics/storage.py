"""Storage of metrics: one memory-mapped file for each process, which every other process can read.

A process takes the first file that no living process has locked, and goes on from the values in it. So counters stay
exact when a process ends, however it ends, and there are never more files than there were processes at a time. The
kernel releases a lock at the end of its process. The files of prometheus-client's own multiprocess mode carry process
ids: they add up with each restart and each job, and a full disk ends the process that writes them.

Layout: a mark, the number of bytes in use, a number that is not read, then entries of a length, a key padded to eight
bytes, and a double.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from loguru import logger

# Another layout needs another mark: files with an unknown one are started over.
MARK = b"fuzemet2"
HEADER_BYTES = 24
# Allocated at once, so that a full disk refuses the file and not a later write, which would end the process. A web
# process uses some hundred KB.
FILE_BYTES = 2 * 1024 * 1024
MOST_FILES = 512
SUFFIX = ".metrics"
# Keys with this prefix are gauges of what a process has now: they start at zero, and end with their process.
OF_LIVING = b'["live'

_read_double = struct.Struct("=d").unpack_from
_pack_number = struct.Struct("=q").pack
_read_number = struct.Struct("=q").unpack_from

# Doubles in the byte order of this machine.
Numbers: TypeAlias = "memoryview[float]"
# What cannot be stored is written here. In files the number of this index is between header and entries.
UNREAD = 2
NOWHERE: Numbers = memoryview(bytearray(8 * (UNREAD + 1))).cast("d")


class MetricsFile:
    """The file of one process, locked while it lives."""

    def __init__(self, descriptor: int, memory: mmap.mmap) -> None:
        """Take a locked file, and read what is in it."""
        self._memory, self._descriptor = memory, descriptor
        if memory[: len(MARK)] != MARK:
            memory[:HEADER_BYTES] = MARK + _pack_number(HEADER_BYTES) + bytes(8)
        self._positions = dict(_entries(memory, _read_number(memory, len(MARK))[0]))
        self._used = max(self._positions.values(), default=HEADER_BYTES - 8) + 8
        # A number is written as a whole: other processes read the one before or this one.
        self.numbers: Numbers = memoryview(memory).cast("d")
        for key, position in self._positions.items():
            if key.startswith(OF_LIVING):
                self.numbers[position // 8] = 0.0

    def index(self, key: bytes) -> int | None:
        """Return where among the numbers a value is, which is added if it is new; None if the file is full."""
        if key not in self._positions:
            entry = _entry(key)
            end = self._used + len(entry)
            if end > FILE_BYTES:
                return None
            self._memory[self._used : end] = entry
            # Written last: readers see whole entries only.
            self._memory[len(MARK) : len(MARK) + 8] = _pack_number(end)
            self._positions[key], self._used = end - 8, end
        return self._positions[key] // 8

    def close(self) -> None:
        """Close the file; its lock is released unless another process has inherited it."""
        self.numbers.release()
        self._memory.close()
        os.close(self._descriptor)


class MetricsStorage:
    """The storage of this process: takes its file at the first value, and another one after a fork."""

    def __init__(self) -> None:
        """Begin without a directory: values stay in memory."""
        self.directory: Path | None = None
        # Changes whenever values have to look for their place again.
        self.epoch = object()
        self.lock = threading.Lock()
        self._file: MetricsFile | None = None
        self._has_tried = False

    def use(self, directory: Path | None) -> None:
        """Store values in a directory from now on; None: in memory."""
        with self.lock:
            if directory != self.directory:
                self._leave()
                self.directory = directory

    def place(self, key: bytes) -> tuple[Numbers, int]:
        """Return where a value is stored: numbers, and which of them. Call it under the lock.

        Without a file, or in a full one, it is a place that nobody reads.
        """
        if self._file is None and not self._has_tried:
            self._has_tried = True
            self._file = self._take()
        index = self._file.index(key) if self._file else None
        if self._file is None or index is None:
            return NOWHERE, UNREAD
        return self._file.numbers, index

    def forget_parent(self) -> None:
        """Leave the file to the parent process after a fork; the lock may be held by a thread that is not here."""
        self.lock = threading.Lock()
        self._leave()

    def _leave(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._has_tried, self.epoch = None, False, object()

    def _take(self) -> MetricsFile | None:
        if self.directory is None:
            return None
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(MOST_FILES):
                # A file may belong to another user, who has run a command.
                with suppress(PermissionError):
                    if (file := _take_file(self.directory / f"{number}{SUFFIX}")) is not None:
                        return file
        except OSError as error:
            logger.warning("metrics of this process are not shared: {}", error.strerror)
        return None


def read_entries(path: Path) -> Iterator[tuple[bytes, float]]:
    """Yield the keys and values of a file, also while its process writes to it; nothing if it is gone."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        data = file.read(HEADER_BYTES)
        if data[: len(MARK)] == MARK:
            data += file.read(_read_number(data, len(MARK))[0] - HEADER_BYTES)
            for key, position in _entries(data, len(data)):
                yield key, _read_double(data, position)[0]


def metrics_files(directory: Path) -> Iterator[tuple[Path, bool]]:
    """Yield all files, each with whether its process lives."""
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        with suppress(FileNotFoundError, PermissionError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                yield path, not _lock(descriptor, fcntl.LOCK_SH)
            finally:
                os.close(descriptor)


def empty_directory(directory: Path) -> bool:
    """Delete the files of an earlier run; keep all of them while one of its processes lives."""
    locked: dict[Path, int] = {}
    try:
        for path in directory.glob(f"*{SUFFIX}"):
            locked[path] = os.open(path, os.O_RDONLY)
            if not _lock(locked[path], fcntl.LOCK_EX):
                return False
        for path in locked:
            path.unlink(missing_ok=True)
        return True
    finally:
        for descriptor in locked.values():
            os.close(descriptor)


def _take_file(path: Path) -> MetricsFile | None:
    """Lock and map a file; None if a living process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(descriptor, fcntl.LOCK_EX) or not _is_at(path, descriptor):
            os.close(descriptor)
            return None
        _allocate(descriptor)
        return MetricsFile(descriptor, mmap.mmap(descriptor, FILE_BYTES))
    except OSError:
        os.close(descriptor)
        raise


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether a file still has its name: it may have been deleted before it was locked."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _allocate(descriptor: int) -> None:
    if os.fstat(descriptor).st_size >= FILE_BYTES:
        return
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, FILE_BYTES)
    else:
        os.truncate(descriptor, FILE_BYTES)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _entry(key: bytes) -> bytes:
    padded = key + bytes(-len(key) % 8)
    return _pack_number(len(key)) + padded + bytes(8)


def _entries(data: bytes | mmap.mmap, used: int) -> Iterator[tuple[bytes, int]]:
    """Yield each key, and the position of its value; after a crash of the machine the last ones may be gone."""
    at, end = HEADER_BYTES, min(used, len(data))
    while at < end:
        length = _read_number(data, at)[0]
        position = at + 8 + length + -length % 8
        if not 0 < length < end or position + 8 > end:
            return
        yield data[at + 8 : at + 8 + length], position
        at = position + 8


storage = MetricsStorage()
os.register_at_fork(after_in_child=storage.forget_parent)
