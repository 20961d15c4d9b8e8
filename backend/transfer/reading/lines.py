"""A file's text, piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from backend.transfer.reading.bounds import PIECE_LENGTH
from backend.transfer.reading.encodings import encoding_of


def pieces(file: BinaryIO, newline: str | None = None) -> Iterator[str]:
    """Yield lines with their ends; a line over `PIECE_LENGTH` characters comes in several pieces.

    `newline` is that of `open`: with None every end of line becomes "\\n", with "" it stays as it is.
    """
    with _text_of(file, newline) as text:
        while piece := text.readline(PIECE_LENGTH):
            if cleaned := piece.replace("\0", ""):
                yield cleaned


@contextmanager
def _text_of(file: BinaryIO, newline: str | None) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(file, encoding_of(file), errors="replace", newline=newline)
    try:
        yield text
    finally:
        if not file.closed:
            text.detach()  # Else the file would be closed with the text.


class Utf8Reader:
    """A file's text as UTF-8 bytes, whatever its encoding: what the JSON parser reads from."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding_of(file), errors="replace", newline="")

    def read(self, size: int = PIECE_LENGTH) -> bytes:
        """Read about as many characters; nothing at the end only."""
        if size == 0:
            return b""  # The parser asks for nothing once, to see which type comes.
        while piece := self._text.read(min(size, PIECE_LENGTH)):
            if text := piece.replace("\0", ""):
                return text.encode()
        return b""

    def release(self) -> None:
        """Leave the file open."""
        if not self._text.buffer.closed:
            self._text.detach()
