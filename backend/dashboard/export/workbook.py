"""An export as a workbook (XLSX): a summary with charts, then a sheet for each table with typed cells.

XlsxWriter writes each row to a temporary file at once (`constant_memory`); openpyxl's write-only mode does the same,
but takes two to three times the CPU time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from backend.dashboard.export.cells import cell_text
from backend.dashboard.export.head import ExportHead
from backend.dashboard.export.summary import WorkbookTally, write_summary
from backend.dashboard.export.tables import ExportTable, Values

# Limit of the format.
MOST_ROWS = 1_048_576
# What XlsxWriter returns where a text has more than the 32,767 characters of a cell, and was cut.
CUT = -2
# Excel knows no time before this.
FIRST_TIME = datetime(1900, 1, 1, tzinfo=UTC)
TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
USUAL_WIDTH = 14
WIDTHS = {
    "url": 48, "title": 40, "description": 40, "notes": 30, "tags": 24, "name": 30, "domain": 22, "data": 40, "type": 24
}  # fmt: skip
TIME_WIDTH = 19


def write_workbook(file: IO[bytes], head: ExportHead, tables: Sequence[ExportTable], scratch: Path) -> None:
    """Write the workbook; temporary files lie in a directory of their own below `scratch`."""
    with tempfile.TemporaryDirectory(dir=scratch) as directory, _open_workbook(file, directory) as book:
        summary = book.add_worksheet("Summary")
        tally = WorkbookTally()
        styles = {"heading": book.add_format({"bold": True}), "time": book.add_format({"num_format": TIME_FORMAT})}
        for table in tables:
            _TableSheets(book, table, styles, tally).write()
        write_summary(book, summary, head, tally, styles)


@contextmanager
def _open_workbook(file: IO[bytes], directory: str) -> Iterator[Workbook]:
    book = Workbook(file, {"constant_memory": True, "tmpdir": directory, "remove_timezone": True})
    book.set_properties({"title": "Fuze export"})
    try:
        yield book
        book.close()
    finally:
        # Left open after a fault, since only `close` closes them.
        for sheet in book.worksheets():
            sheet.row_data_fh.close()


class _TableSheets:
    """The sheets of a table: one, and others where it has more rows than a sheet may have."""

    def __init__(self, book: Workbook, table: ExportTable, styles: dict[str, Any], tally: WorkbookTally) -> None:
        self._book, self._table, self._styles, self._tally = book, table, styles, tally
        self._sheets = 0
        self._row = 0

    def write(self) -> None:
        """Write all rows."""
        sheet = self._begin()
        counts = self._tally.begin(self._table)
        for batch in self._table.batches:
            for values in batch:
                if self._row == MOST_ROWS:
                    sheet = self._begin()
                self._write_row(sheet, values)
                counts.add(values)

    def _begin(self) -> Worksheet:
        self._sheets += 1
        name = self._table.name.capitalize()
        sheet = self._book.add_worksheet(name if self._sheets == 1 else f"{name} {self._sheets}")
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._table.columns):
            sheet.set_column(place, place, _width(column))
            sheet.write_string(0, place, column, self._styles["heading"])
        self._row = 1
        return sheet

    def _write_row(self, sheet: Worksheet, values: Values) -> None:
        for place, value in enumerate(values):
            if value is not None and value != "":
                self._write_cell(sheet, place, value)
        self._row += 1

    def _write_cell(self, sheet: Worksheet, place: int, value: Any) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(self._row, place, value)
        elif isinstance(value, int | float):
            sheet.write_number(self._row, place, value)
        elif isinstance(value, datetime) and value >= FIRST_TIME:
            sheet.write_datetime(self._row, place, value, self._styles["time"])
        else:
            # As a text, whatever it looks like: neither a link nor a formula.
            text = value.isoformat() if isinstance(value, datetime) else cell_text(value)
            self._tally.cut_cells += sheet.write_string(self._row, place, text) == CUT


def _width(column: str) -> int:
    return TIME_WIDTH if column.endswith("_at") else WIDTHS.get(column, USUAL_WIDTH)
