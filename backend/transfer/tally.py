"""How an import stands: how many records became what, and the first of those that could not be taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from backend.transfer.models import Import
from backend.transfer.records import Record, SkippedLine

Outcome = Literal["created", "duplicate", "skipped", "failed"]
# So many lines that were not taken are told with the job; all of them are in the CSV file.
MOST_FAILURES = 1_000
# So many items that could not be restored are named in the result of the job.
MOST_LEFT_OUT = 100
COUNTED = ("created", "duplicates", "skipped", "failed", "mended")
# What is shown of a URL: the line number finds the rest.
SHOWN_URL, STORED_URL = 500, 2_048


@dataclass(slots=True)
class Line:
    """A record of a file and what has become of it; `reasons` tell why it was not taken, or what was mended."""

    record: Record
    outcome: Outcome = "duplicate"
    reasons: list[str] = field(default_factory=list)

    def end(self, outcome: Outcome, reason: str) -> None:
        """Say that it is not taken, and why."""
        self.outcome, self.reasons = outcome, [reason]

    @property
    def is_taken(self) -> bool:
        """Whether its link is saved."""
        return self.outcome in ("created", "duplicate")

    @property
    def is_mended(self) -> bool:
        """Whether it was taken, but not as it is."""
        return self.is_taken and bool(self.reasons)

    @property
    def reason(self) -> str:
        """All reasons as one text."""
        return " ".join(self.reasons)


@dataclass(frozen=True)
class Tally:
    """The counts of an import: always `position = created + duplicates + skipped + failed`.

    `left_out` are the first of the items beside bookmarks that could not be restored from an export of ours.
    """

    created: int = 0
    duplicates: int = 0
    skipped: int = 0
    failed: int = 0
    mended: int = 0
    failures: tuple[dict[str, Any], ...] = ()
    left_out: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, state: Import, result: dict[str, Any] | None) -> Tally:
        """Read the counts of an import, with the failures that its job has told already."""
        failures, left_out = (tuple((result or {}).get(name, ())) for name in ("failures", "left_out"))
        return cls(state.created, state.duplicates, state.skipped, state.failed, state.mended, failures, left_out)

    @property
    def position(self) -> int:
        """How many records have been dealt with."""
        return self.created + self.duplicates + self.skipped + self.failed

    def plus(self, lines: Sequence[Line]) -> Tally:
        """Count more lines."""
        number = [line.outcome for line in lines].count
        return replace(
            self,
            created=self.created + number("created"),
            duplicates=self.duplicates + number("duplicate"),
            skipped=self.skipped + number("skipped"),
            failed=self.failed + number("failed"),
            mended=self.mended + sum(line.is_mended for line in lines),
            failures=(*self.failures, *map(_failure, _not_taken(lines, MOST_FAILURES - len(self.failures)))),
        )

    def leaving_out(self, items: Iterable[SkippedLine]) -> Tally:
        """Add items that could not be restored."""
        more = ({"line": item.line, "reason": item.reason} for item in items)
        return replace(self, left_out=(*self.left_out, *more)[:MOST_LEFT_OUT])

    def counts(self) -> dict[str, int]:
        """Name the counts as the columns of an import are named."""
        return {name: getattr(self, name) for name in COUNTED}

    def result(self, format_name: str) -> dict[str, Any]:
        """Say what the job tells of it."""
        omitted = self.skipped + self.failed - len(self.failures)
        found = {"format": format_name, "found": self.position, **self.counts()}
        told = {**found, "failures": list(self.failures), "failures_omitted": omitted}
        return {**told, "left_out": list(self.left_out)} if self.left_out else told


def _not_taken(lines: Sequence[Line], most: int) -> list[Line]:
    return [line for line in lines if not line.is_taken][: max(most, 0)]


def _failure(line: Line) -> dict[str, Any]:
    url = line.record.url.replace("\x00", "")[:SHOWN_URL]
    return {"line": line.record.line, "url": url, "reason": line.reason, "outcome": line.outcome}
