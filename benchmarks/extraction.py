"""How well and how fast pages are read: `python -m benchmarks.extraction [--misses]`.

Below the API: bytes in, `ExtractedPage` out. No network, no database.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page
from benchmarks.page_truth import (
    BODIES,
    PAGES,
    PASSAGES,
    SNAPSHOTS,
    PageTruth,
    Score,
    four_gram_f1,
    load_truth,
    passages_in,
    title_matches,
)


@dataclass(frozen=True)
class Reading:
    """One page, read."""

    truth: PageTruth
    page: ExtractedPage
    seconds: float

    @property
    def has_title(self) -> bool:
        return self.truth.title is not None and title_matches(self.truth.title, self.page.title)


def read_pages(truths: Sequence[PageTruth]) -> list[Reading]:
    """Reads every page once; any exception ends the measurement, since none may happen."""
    readings = []
    for truth in truths:
        body = truth.body()
        start = time.perf_counter()
        page = extract_page(body, url=truth.url, media_type="text/html", charset=None)
        readings.append(Reading(truth, page, time.perf_counter() - start))
    return readings


def text_score(readings: Sequence[Reading], source: str) -> Score:
    """Agreement of the texts with those that `source` gives."""
    return four_gram_f1((r.truth.text, r.page.text) for r in readings if r.truth.source == source and r.truth.text)


def titled(readings: Sequence[Reading], *sources: str) -> list[Reading]:
    """The readings of pages whose title is known."""
    return [reading for reading in readings if reading.truth.title and reading.truth.source in sources]


def passage_rates(readings: Sequence[Reading]) -> tuple[float, float]:
    """Shares of the required and of the forbidden passages that were found."""
    required = sum(len(reading.truth.required) for reading in readings)
    forbidden = sum(len(reading.truth.forbidden) for reading in readings)
    kept = sum(passages_in(reading.page.text, reading.truth.required) for reading in readings)
    leaked = sum(passages_in(reading.page.text, reading.truth.forbidden) for reading in readings)
    return kept / required, leaked / forbidden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, default=PAGES, help="directory of ground-truth.jsonl.gz")
    parser.add_argument("--misses", action="store_true", help="list every title that was not found")
    options = parser.parse_args()
    readings = read_pages(load_truth(options.pages))
    print(f"{len(readings)} pages")
    for source in (BODIES, SNAPSHOTS):
        score = text_score(readings, source)
        print(f"text   {source}: precision {score.precision:.4f} recall {score.recall:.4f} F1 {score.f1:.4f}")
    kept, leaked = passage_rates(readings)
    print(f"text   {PASSAGES}: {kept:.1%} of required passages, {leaked:.1%} of forbidden ones")
    for sources in ((PASSAGES,), (SNAPSHOTS,), (PASSAGES, SNAPSHOTS)):
        pages = titled(readings, *sources)
        right = sum(reading.has_title for reading in pages)
        print(f"title  {' + '.join(sources)}: {right} of {len(pages)}, {right / len(pages):.1%}")
    times = sorted(reading.seconds for reading in readings)
    print(f"time   median {statistics.median(times) * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms")
    if options.misses:
        for reading in titled(readings, PASSAGES, SNAPSHOTS):
            if not reading.has_title:
                print(f"\n{reading.truth.id}\n  is    {reading.truth.title}\n  found {reading.page.title}")


if __name__ == "__main__":
    main()
