"""Bounds of one capture run: how many pages it reads at once."""

from __future__ import annotations

from dataclasses import dataclass

from backend.capture.extractor_processes import ExtractionBounds
from backend.machine import count_cores, is_small
from config import Settings

# Share of the slots that one person's slow links leave to others.
RESERVED_SHARE = 0.2


@dataclass(frozen=True)
class RunBounds:
    """Numbers of concurrent claims and processes, and the length of a lease."""

    concurrency: int
    per_person: int
    per_host: int
    processes: int
    lease_seconds: float
    extraction: ExtractionBounds

    @classmethod
    def of(cls, settings: Settings) -> RunBounds:
        """Read the bounds from the settings.

        One person's pages occupy at most as many processes as there are cores; one more process is left to others, so
        that a page that hangs does not block them. Small machines have one process.
        """
        return cls(
            concurrency=settings.CAPTURE_CONCURRENCY,
            per_person=settings.CAPTURE_PER_PERSON,
            per_host=settings.CAPTURE_PER_HOST,
            processes=1 if is_small() else count_cores() + 1,
            lease_seconds=settings.CAPTURE_LEASE_SECONDS,
            extraction=ExtractionBounds(settings.CAPTURE_EXTRACT_SECONDS),
        )

    @property
    def alone(self) -> int:
        """The number of claims of one person while nobody else waits."""
        return max(self.per_person, self.concurrency - max(1, round(self.concurrency * RESERVED_SHARE)))
