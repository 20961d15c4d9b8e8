"""Reading of GET /metrics."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: Any) -> float:
        """The sum of the samples of this name that have these labels."""
        wanted = {label: str(value) for label, value in labels.items()}.items()
        return sum(sample.value for sample in self.named(name) if wanted <= sample.labels.items())

    def named(self, name: str) -> list[Sample]:
        """The samples of this name."""
        return [sample for sample in self.samples if sample.name == name]

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self.samples)
