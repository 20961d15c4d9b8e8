"""Charts as SVG: pygal draws them. Widths and sizes are of a picture that is shown 320 to 400 pixels wide."""

from __future__ import annotations

import sys
from functools import cache
from itertools import count
from types import ModuleType
from typing import Any, cast

from backend.dashboard.charts.chart import Chart
from backend.dashboard.charts.document import write_document
from backend.dashboard.charts.labels import columns_of

MEDIA_TYPE = "image/svg+xml"
WIDTH, MARGIN, BOX = 400, 8, 12
RIGHT_MARGIN = 30  # Half of the last label stands beyond its place.
HEIGHTS = {"stacked columns": 320, "columns": 260, "bars": 400, "lines": 320}
CLASSES = {"stacked columns": "StackedBar", "columns": "Bar", "bars": "HorizontalBar", "lines": "Line"}
LETTERS = 14  # The font size for which there is room; style.css has the same.
TITLE_LETTERS = 16
LETTER_WIDTH = 0.6  # Of the font size, as pygal takes it.
LEGEND_COLUMNS = {"stacked columns": 2}
LEGEND_ROW = 1.5 * LETTERS
MOST_TICKS = 5


def draw(chart: Chart) -> bytes:
    """Return a chart as an SVG document, which is the same for the same numbers."""
    pygal = _library()
    figure = getattr(pygal, CLASSES[chart.kind])(**_options(chart), style=pygal.style.Style(**_font_sizes()))
    for series in chart.series if chart.most else ():
        figure.add(series.legend, series.values)
    return write_document(figure.render_tree(), chart)


def whole_ticks(most: int) -> list[int]:
    """Return whole numbers at even distances, from zero to at least `most`."""
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if step * MOST_TICKS >= most)
    return list(range(0, most + step, step))


@cache
def _library() -> ModuleType:
    # Only the processes that draw load it.
    import pygal  # noqa: PLC0415

    # Its finder of plug-ins is of a kind that Python 3.12 no longer knows, and 3.11 warns of at every import.
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]
    return cast(ModuleType, pygal)


def _options(chart: Chart) -> dict[str, Any]:
    """Return the settings of a figure: nothing random, no script, no style sheet of the library's own."""
    ticks = whole_ticks(chart.most)
    shown = [chart.ticks.get(at, "") for at in range(len(chart.labels))] if chart.most else []
    # The library counts characters where some take two columns.
    missing = max(map(columns_of, shown), default=0) - max(map(len, shown), default=0)
    return {
        "width": WIDTH,
        "height": HEIGHTS[chart.kind],
        "margin": MARGIN,
        "margin_right": RIGHT_MARGIN,
        "margin_left": MARGIN + max(0, missing) * LETTERS * LETTER_WIDTH if chart.kind == "bars" else MARGIN,
        "margin_bottom": MARGIN + _missing_legend_rows(chart) * LEGEND_ROW,
        "no_prefix": True,
        "css": (),
        "js": (),
        "classes": ("fuze-chart",),
        "title": chart.title,
        "no_data_text": chart.empty,
        "x_labels": shown,
        "x_labels_major": list(filter(None, shown)),
        # Of lying bars they are the numbers.
        "show_minor_x_labels": chart.kind == "bars",
        "show_x_labels": bool(chart.most),
        "show_y_labels": bool(chart.most),
        "truncate_label": -1,
        "y_labels": ticks if chart.most else [],
        "range": (0, ticks[-1]),
        "value_formatter": lambda value: f"{round(value):,}",
        "legend_at_bottom": True,
        "legend_at_bottom_columns": _legend_columns(chart),
        "legend_box_size": BOX,
        "truncate_legend": -1,
        "dots_size": 2.5,
    }


def _font_sizes() -> dict[str, int]:
    names = ("label", "major_label", "legend", "value", "no_data")
    return {"title_font_size": TITLE_LETTERS, **{f"{name}_font_size": LETTERS for name in names}}


def _missing_legend_rows(chart: Chart) -> int:
    """Return how many rows of the legend the library leaves no room for: it rounds down."""
    return -(-len(chart.series) // _legend_columns(chart)) - len(chart.series) // _legend_columns(chart)


def _legend_columns(chart: Chart) -> int:
    return LEGEND_COLUMNS.get(chart.kind, 1)
