"""The rows of a CSV file as fields by name: any delimiter, any order of columns, quoted fields over several lines."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from backend.transfer.reading.bounds import MAX_FIELD_LENGTH
from backend.transfer.reading.encodings import head_text
from backend.transfer.reading.field_names import field_name
from backend.transfer.reading.lines import pieces
from backend.transfer.records import UnreadableFile

# Of the whole process: the library knows no other. Without it a description of 128 KiB ends the reading.
csv.field_size_limit(MAX_FIELD_LENGTH)

TOO_LONG = (
    f"Line {{}} holds a field of more than {MAX_FIELD_LENGTH // 2**20} million characters: is a quote not closed?"
)
UNCLOSED = "The file ends inside the quotes of line {}; what stands before it was read."
BROKEN = "The table cannot be read after line {}; what stands before it was read."

_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row: the line where it starts, and its fields by the lower-case names of their columns.

    `cells` are all its fields; `is_whole` tells whether they are as many as the columns. `is_cut` tells of a last row
    that is too short and has no end of line, in a file where all others are whole.
    """

    line: int
    fields: dict[str, str]
    cells: list[str]
    is_whole: bool
    is_cut: bool = False


def header(head: bytes) -> frozenset[str]:
    """Return the names of the columns, as `field_name` writes them, if the first row is a header."""
    return frozenset(map(field_name, next(iter(first_rows(head)), ())))


@functools.lru_cache(maxsize=2)
def first_rows(head: bytes) -> tuple[tuple[str, ...], ...]:
    """Return the fields of the first two rows."""
    text = head_text(head)
    try:
        return tuple(map(tuple, islice(_sniffed(_Lines(io.StringIO(text, newline=""))), 2)))
    except csv.Error:
        return ()


def csv_rows(file: BinaryIO, columns: tuple[str, ...] = ()) -> Iterator[CsvRow]:
    """Yield the rows below the header, or all rows where `columns` names what they hold.

    Raises:
        UnreadableFile: a field is too long, or the file ends inside quotes; the rows before are yielded.
    """
    rows = _Rows(_Lines(pieces(file, newline="")))
    names = columns or tuple(map(field_name, next(rows, (0, []))[1]))
    for line, cells in rows:
        if any(cells):
            yield _row(line, cells, names, rows)


def _row(line: int, cells: list[str], names: tuple[str, ...], rows: _Rows) -> CsvRow:
    is_whole = len(cells) >= len(names) and not any(cells[len(names) :])
    is_cut = len(cells) < len(names) and rows.ends_without_newline and rows.are_whole
    rows.are_whole = rows.are_whole and is_whole
    return CsvRow(line, _fields(names, cells), cells, is_whole, is_cut)


def _fields(names: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    """Name the cells; of columns with the same name the first one that is filled counts."""
    fields: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        if not fields.get(name):
            fields[name] = cell
    return fields


def _sniffed(lines: _Lines) -> Iterator[list[str]]:
    """Parse the rows by the delimiter that the first line has most of; a line `sep=;` names it, as for Excel."""
    first = next((line for line in lines if line.strip()), "")
    if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == len("sep=;"):
        return csv.reader(lines, delimiter=first[4], skipinitialspace=True)
    if first:
        lines.put_back(first)
    return csv.reader(lines, delimiter=max(_DELIMITERS, key=first.count), skipinitialspace=True)


class _Lines(Iterator[str]):
    """The lines of a file, each whole; those of the current row are counted."""

    def __init__(self, found: Iterator[str]) -> None:
        self._pieces = found
        self._again: list[str] = []
        self.count = 0
        self.is_at_end = False
        self.last = ""

    def put_back(self, line: str) -> None:
        self._again.append(line)
        self.count -= 1

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._pieces, "")
        if not line:
            self.is_at_end = True
            raise StopIteration
        self.last = line if line[-1] in "\r\n" else self._whole(line)
        self.count += 1
        return self.last

    def _whole(self, line: str) -> str:
        parts = [line]
        length = len(line)
        while parts[-1][-1] not in "\r\n" and (piece := next(self._pieces, "")):
            parts.append(piece)
            length += len(piece)
            if length > MAX_FIELD_LENGTH:
                raise UnreadableFile(TOO_LONG.format(self.count + 1))
        return "".join(parts)


class _Rows(Iterator[tuple[int, list[str]]]):
    """Rows with the line that each starts in."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._parsed = _sniffed(lines)
        self.are_whole = True

    @property
    def ends_without_newline(self) -> bool:
        return self._lines.last[-1] not in "\r\n"

    def __next__(self) -> tuple[int, list[str]]:
        start = self._lines.count + 1
        cells = self._next_cells(start)
        if self._lines.is_at_end:  # It asked for one more line, and there is none.
            raise UnreadableFile(UNCLOSED.format(start))
        return start, cells

    def _next_cells(self, start: int) -> list[str]:
        try:
            return next(self._parsed)
        except csv.Error as error:
            sentence = TOO_LONG if "field larger" in str(error) else BROKEN
            raise UnreadableFile(sentence.format(start)) from error
