"""Tables: those of data are read row by row, those of layout are only boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.capture.extract.inline import LineText, line_html

_LAYOUT = ("table", "pre", "h1", "h2", "h3", "form", "article", "section", "blockquote")
MAX_CELL = 1_500  # Characters; longer cells hold articles.
MAX_ITEMS = 12  # Paragraphs and items in a cell; a cell with more is a column of the page.


def is_data_table(table: Any) -> bool:
    """Tell whether a table has rows of cells, and no cell that is a part of the page's layout."""
    if table.get("role") in ("presentation", "none") or any(_has_inside(table, tag) for tag in _LAYOUT):
        return False
    rows = [list(_cells(row)) for row in table.iter("tr")]
    if not rows or max(map(len, rows)) < 2:
        return False
    return all(_is_small(cell) for row in rows for cell in row)


def _has_inside(table: Any, tag: str) -> bool:
    return table.find(f".//{tag}") is not None


def _is_small(cell: Any) -> bool:
    items = sum(1 for _ in cell.iter("p", "li", "div"))
    return items <= MAX_ITEMS and len("".join(cell.itertext())) <= MAX_CELL


def _cells(row: Any) -> Iterator[Any]:
    return (cell for cell in row if cell.tag in ("td", "th"))


def table_text(table: Any) -> tuple[str, int]:
    """Return a table as text with a line for each row, and the number of its characters in links."""
    lines = [_line(caption) for caption in table.iter("caption")]
    texts = [line.text() for line in lines]
    for row in table.iter("tr"):
        cells = [_line(cell) for cell in _cells(row)]
        texts.append(" ".join(filter(None, (cell.text().replace("\n", " ") for cell in cells))))
        lines += cells
    return "\n".join(filter(None, texts)), sum(line.linked for line in lines)


def _line(element: Any) -> LineText:
    line = LineText()
    line.add_contents(element)
    return line


def table_html(table: Any, base_url: str) -> str:
    """Write a table of data as HTML."""
    captions = (f"<caption>{line_html([caption], base_url)}</caption>" for caption in table.iter("caption"))
    rows = ("".join(_cell(cell, base_url) for cell in _cells(row)) for row in table.iter("tr"))
    return f"<table>{''.join(captions)}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(cell: Any, base_url: str) -> str:
    spans = "".join(f' {name}="{value}"' for name in ("colspan", "rowspan") if (value := cell.get(name, "")).isdigit())
    return f"<{cell.tag}{spans}>{line_html([cell], base_url)}</{cell.tag}>"
