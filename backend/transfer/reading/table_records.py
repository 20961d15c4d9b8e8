"""Bookmarks of the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping

from backend.transfer.reading.csv_rows import CsvRow
from backend.transfer.reading.field_names import URL, bookmark_of
from backend.transfer.reading.links import WEB_ADDRESS, skipped
from backend.transfer.records import Record, SkippedLine

WRONG_COLUMNS = "The line has {} fields and no address where the header has it."
CUT = "The file breaks off in this line."


def table_record(row: CsvRow, fields: Mapping[str, str] | None = None) -> Record:
    """Make a bookmark of a row, by `fields` where a format has changed them, or say what is wrong with the row."""
    return _fault(row) or bookmark_of(row.line, row.fields if fields is None else fields)


def _fault(row: CsvRow) -> SkippedLine | None:
    """Say what is wrong with a row that has too few or too many fields, as where a comma stands without quotes."""
    stated = next((row.fields[name] for name in URL if row.fields.get(name)), "")
    if row.is_cut:
        return skipped(row.line, stated, CUT)
    if row.is_whole or WEB_ADDRESS.match(stated):
        return None
    cell_or_url = next((cell for cell in row.cells if WEB_ADDRESS.match(cell)), stated)
    return skipped(row.line, cell_or_url, WRONG_COLUMNS.format(len(row.cells)))
