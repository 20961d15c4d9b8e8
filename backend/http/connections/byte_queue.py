"""Bytes on their way in or out of a connection: few of them in memory, many in a file without a name."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from backend.http.multipart import uploads_directory

MEMORY_BYTES = 64 * 1024
# In the files of one process, whoever they belong to.
FILE_BYTES = 1024 * 1024 * 1024


class _Files:
    """Counts the bytes in all files: what is read from one takes room until the file is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = 0

    def claim(self, size: int) -> None:
        with self._lock:
            if self._bytes + size > FILE_BYTES:
                raise OSError(errno.ENOSPC, "too much waits in files")
            self._bytes += size

    def release(self, size: int) -> None:
        with self._lock:
            self._bytes -= size


_files = _Files()


class ByteQueue:
    """A queue of bytes: first in, first out."""

    def __init__(self, data_dir: Path) -> None:
        """Begin empty.

        Args:
            data_dir: What does not fit in memory goes to a file below it.
        """
        self._data_dir = data_dir
        # The front of the queue; what is in the file follows it.
        self.memory = bytearray()
        self._file: IO[bytes] | None = None
        self._read_at = self._file_bytes = 0

    def __len__(self) -> int:
        return len(self.memory) + self._file_bytes - self._read_at

    def append(self, piece: bytes | memoryview) -> None:
        """Put a piece at the end.

        Raises:
            OSError: it cannot be written to the file.
        """
        if self._file is None and len(self.memory) + len(piece) <= MEMORY_BYTES:
            self.memory += piece
            return
        _files.claim(len(piece))
        if self._file is None:
            self._file = _open(self._data_dir)
        self._file.seek(self._file_bytes)
        # Before it is written: what fails halfway is released with the rest.
        self._file_bytes += len(piece)
        self._file.write(piece)

    def peek(self, size: int) -> bytes:
        """The first bytes, at most `size`, and fewer where memory ends."""
        if not self.memory and self._file is not None:
            self._file.seek(self._read_at)
            return self._file.read(size)
        return bytes(self.memory[:size])

    def drop(self, size: int) -> None:
        """Take away the first bytes, as many as were seen."""
        if self.memory:
            del self.memory[:size]
        else:
            self._read_at += size
        if self._file is not None and self._read_at == self._file_bytes:
            self.close()

    def take(self, size: int) -> bytes:
        """Take the first bytes, at most `size`; none only where the queue is empty."""
        piece = self.peek(size)
        self.drop(len(piece))
        return piece

    def take_all(self) -> bytes:
        """Take everything."""
        return b"".join(iter(lambda: self.take(MEMORY_BYTES), b""))

    def close(self) -> None:
        """Give the file up, with what is in it."""
        if self._file is not None:
            self._file.close()
            self._file = None
            _files.release(self._file_bytes)
            self._read_at = self._file_bytes = 0


def _open(data_dir: Path) -> IO[bytes]:
    return cast("IO[bytes]", TemporaryFile(dir=uploads_directory(data_dir), buffering=0))
