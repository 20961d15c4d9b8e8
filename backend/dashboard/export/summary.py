"""The first sheet of a workbook: what it holds, in numbers and charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from backend.dashboard.export.cells import cell_text
from backend.dashboard.export.head import ExportHead
from backend.dashboard.export.tables import ExportTable, Values

SHEET = "Summary"
# A chart of more months is no more readable.
MOST_MONTHS = 60
CHART_SIZE = {"width": 640, "height": 320}
CHART_COLUMN = 8
STYLE_COLUMNS = {"first": 24, "others": 14}


@dataclass
class TableTally:
    """Rows of a table by the month in which they were created (UTC) and by status, counted as they are written."""

    name: str
    created_at: int | None
    status: int | None
    rows: int = 0
    months: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    def add(self, values: Values) -> None:
        """Count a row."""
        self.rows += 1
        if self.created_at is not None:
            self.months[f"{values[self.created_at]:%Y-%m}"] += 1
        if self.status is not None:
            self.statuses[values[self.status]] += 1


@dataclass
class WorkbookTally:
    """What was written: the tables, and the number of cells whose text was cut."""

    tables: list[TableTally] = field(default_factory=list)
    cut_cells: int = 0

    def begin(self, table: ExportTable) -> TableTally:
        """Begin to count the rows of a table."""
        tally = TableTally(table.name, _place(table.columns, "created_at"), _place(table.columns, "status"))
        self.tables.append(tally)
        return tally

    def months(self) -> list[str]:
        """Return all months from the first to the last one with a row, at most the latest five years of them."""
        found = sorted({month for table in self.tables for month in table.months})
        return list(_months_between(found[0], found[-1]))[-MOST_MONTHS:] if found else []


def write_summary(
    book: Workbook, sheet: Worksheet, head: ExportHead, tally: WorkbookTally, styles: dict[str, Any]
) -> None:
    """Write the sheet."""
    lines = _Lines(sheet, styles)
    sheet.set_column(0, 0, STYLE_COLUMNS["first"])
    sheet.set_column(1, len(tally.tables) or 1, STYLE_COLUMNS["others"])
    _write_head(lines, head)
    lines.heading("Table", "Rows")
    for table in tally.tables:
        lines.add(table.name, table.rows)
    lines.add("cells cut at 32,767 characters", tally.cut_cells)
    _write_months(book, lines, tally)
    _write_statuses(book, lines, tally)


class _Lines:
    """Lines of a sheet, from the top down: a row cannot be changed once the next one is written."""

    def __init__(self, sheet: Worksheet, styles: dict[str, Any]) -> None:
        self.sheet, self._styles = sheet, styles
        self.next = 0
        self.charts = 0

    def heading(self, *texts: str) -> None:
        """Write a line of headings, below an empty one."""
        self.next += self.next > 0
        self._write(texts, self._styles["heading"])

    def add(self, *values: Any) -> None:
        """Write a line: texts as texts, numbers and times as such."""
        self._write(values, None)

    def chart(self, chart: Any) -> None:
        """Place a chart beside the lines, below the ones before."""
        chart.set_size(CHART_SIZE)
        self.sheet.insert_chart(self.charts * 17, CHART_COLUMN, chart)
        self.charts += 1

    def _write(self, values: Sequence[Any], style: Any) -> None:
        for place, value in enumerate(values):
            if isinstance(value, str):
                self.sheet.write_string(self.next, place, cell_text(value), style)
            elif isinstance(value, int):
                self.sheet.write_number(self.next, place, value)
            elif value is not None:
                self.sheet.write_datetime(self.next, place, value, self._styles["time"])
        self.next += 1


def _write_head(lines: _Lines, head: ExportHead) -> None:
    lines.heading("Fuze export")
    lines.add("organization", head.organization_name)
    lines.add("written at (all times: UTC)", head.written_at)
    lines.add("created from", head.period.since)
    lines.add("created before", head.period.until)


def _write_months(book: Workbook, lines: _Lines, tally: WorkbookTally) -> None:
    months, tables = tally.months(), [table for table in tally.tables if table.months]
    if not months:
        return
    lines.heading("Created in month", *(table.name for table in tables))
    first = lines.next
    for month in months:
        lines.add(month, *(table.months[month] for table in tables))
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    chart.set_title({"name": "Created by month"})
    for column, _ in enumerate(tables, 1):
        chart.add_series(_series(first, lines.next - 1, column))
    lines.chart(chart)


def _write_statuses(book: Workbook, lines: _Lines, tally: WorkbookTally) -> None:
    tasks = next((table.statuses for table in tally.tables if table.name == "tasks"), None)
    if not tasks:
        return
    lines.heading("Tasks by status", "tasks")
    first = lines.next
    for status, number in sorted(tasks.items()):
        lines.add(status, number)
    chart = book.add_chart({"type": "bar"})
    chart.set_title({"name": "Tasks by status"})
    chart.set_legend({"none": True})
    chart.add_series(_series(first, lines.next - 1, 1))
    lines.chart(chart)


def _series(first: int, last: int, column: int) -> dict[str, Any]:
    return {
        "name": [SHEET, first - 1, column],
        "categories": [SHEET, first, 0, last, 0],
        "values": [SHEET, first, column, last, column],
    }


def _place(columns: Sequence[str], name: str) -> int | None:
    return list(columns).index(name) if name in columns else None


def _months_between(first: str, last: str) -> Iterator[str]:
    (year, month), (last_year, last_month) = (map(int, text.split("-")) for text in (first, last))
    for number in range(year * 12 + month - 1, last_year * 12 + last_month):
        yield f"{number // 12:04}-{number % 12 + 1:02}"
