"""What a chart shows, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

ChartKind = Literal["stacked columns", "columns", "bars", "lines"]


@dataclass(frozen=True)
class ChartSeries:
    """Numbers of one kind, one for each place on the axis; the legend tells their total, where they have one."""

    name: str
    values: Sequence[int]
    total: int | None = None

    @property
    def legend(self) -> str:
        return self.name if self.total is None else f"{self.name} {self.total:,}"


@dataclass(frozen=True)
class Chart:
    """Numbers of the dashboard, and how they are drawn.

    Attributes:
        name: What ids in the picture begin with.
        kind: How it is drawn; bars lie, columns stand.
        title: What is written above it.
        description: What the numbers say, in a few sentences.
        empty: What is written in place of numbers that are all zero.
        labels: Of each place on the axis; the texts of people may be among them.
        ticks: The places that are labelled beside the axis, and how.
        series: The numbers.
    """

    name: str
    kind: ChartKind
    title: str
    description: str
    empty: str
    labels: Sequence[str]
    ticks: Mapping[int, str]
    series: Sequence[ChartSeries]

    @property
    def most(self) -> int:
        """The highest number that the axis of values must reach."""
        places = zip(*(series.values for series in self.series), strict=True)
        return max((sum(place) if self.kind == "stacked columns" else max(place) for place in places), default=0)
