"""Files in the database, in parts of 1 MiB: the web tier has no disk in common with the worker."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

PART_BYTES = 1024 * 1024


class PartsWriter(io.RawIOBase):
    """Write-only file which passes its parts to `store(position, data)` as they fill up; positions count from 0."""

    def __init__(self, store: Callable[[int, bytes], None]) -> None:
        self._store_part = store
        self._buffer = bytearray()
        self._position = 0
        self._size = 0
        self._hash = sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what has been stored, in hexadecimal."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            self._store(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]
        return len(data)

    def finish(self) -> int:
        """Store the last part; return the size of the whole in bytes."""
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()
        return self._size

    def _store(self, data: bytes) -> None:
        self._store_part(self._position, data)
        self._hash.update(data)
        self._position += 1
        self._size += len(data)


class PartsReader(io.RawIOBase):
    """Read-only file of so many bytes whose parts `read_part(position)` returns; one part is in memory."""

    def __init__(self, read_part: Callable[[int], bytes], size: int) -> None:
        self._read_part = read_part
        self._size = size
        self._offset = 0
        self._part = -1
        self._data = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        self._offset = max(0, start + offset)
        return self._offset

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._offset >= self._size:
            return 0
        part, start = divmod(self._offset, PART_BYTES)
        if part != self._part:
            self._part, self._data = part, self._read_part(part)
        piece = memoryview(self._data)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._offset += len(piece)
        return len(piece)
