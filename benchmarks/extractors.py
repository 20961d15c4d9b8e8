"""Readers of other projects beside Fuze on the same real pages: `python -m benchmarks.extractors --python PATH`.

PATH is a Python with requirements-extractors.txt installed, which this project does not depend on. With
`--node-modules DIRECTORY`, which holds @mozilla/readability and jsdom, Readability.js is measured as well. What is not
installed is skipped.

Fuze has learned its weights from these very pages: its second line reads each by weights learned from others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.capture.extract.charset import decode_text
from backend.capture.extract.page_reader import extract_page
from benchmarks.article_weights import feature_names, load_examples, read_left_out
from benchmarks.page_truth import BODIES, PAGES, PageTruth, four_gram_f1, load_truth, passages_in, title_matches
from benchmarks.peer_readers import READERS

SAMPLES = 10_000
SEED = 1
HERE = Path(__file__).parent
LEFT_OUT = "Fuze, pages left out of learning"
HEAD = f"{'':34} F1     precision recall kept leaked  titles       CPU   by page: Fuze (left out) − this one"


class NotInstalled(Exception):
    """A reader that cannot be run here, with the reason."""


@dataclass(frozen=True)
class PeerResult:
    """What one reader has made of a page; no title and no seconds where they were not measured."""

    text: str
    title: str | None = None
    seconds: float | None = None


def read_by_fuze(truths: Iterable[PageTruth]) -> list[PeerResult]:
    """Read all pages as a capture does."""
    results = []
    for truth in truths:
        body = truth.body()
        start = time.process_time()
        page = extract_page(body, url=truth.url, media_type="text/html", charset=None)
        results.append(PeerResult(page.text, page.title, time.process_time() - start))
    return results


def read_by_others_weights(truths: Sequence[PageTruth]) -> list[PeerResult | None]:
    """Read each page by weights that were learned from other pages; None for those that nobody has judged."""
    texts = {truth.id: text for truth, text in read_left_out(list(load_examples(feature_names(), truths)))}
    return [PeerResult(texts[truth.id]) if truth.id in texts else None for truth in truths]


def read_by_peer(command: Sequence[str], truths: Iterable[PageTruth], **environment: str) -> list[PeerResult]:
    """Read all pages by another program.

    Raises:
        NotInstalled: the program or its library is not here.
    """
    pages = [{"html": decode_text(truth.body(), None), "url": truth.url} for truth in truths]
    try:
        ended = subprocess.run(
            command,
            input="".join(json.dumps(page) + "\n" for page in pages),
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
        )
    except FileNotFoundError as failure:
        raise NotInstalled(str(failure)) from None
    if ended.returncode:
        reasons = [line for line in ended.stderr.splitlines() if "Error:" in line]
        raise NotInstalled(reasons[0] if reasons else ended.stderr.strip())
    lines = map(json.loads, ended.stdout.splitlines())
    return [PeerResult(line["text"] or "", line["title"], line["seconds"]) for line in lines]


def page_scores(truths: Sequence[PageTruth], results: Sequence[PeerResult | None]) -> list[float]:
    """Return the F1 of each page whose body is known."""
    pairs = zip(truths, results, strict=True)
    return [four_gram_f1([(t.text, r.text)]).f1 for t, r in pairs if t.source == BODIES and t.text and r]


def difference(ours: Sequence[float], others: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean difference by page, and the bounds of its 95 % interval by the bootstrap over pages."""
    values = np.array(ours) - np.array(others)
    picks = np.random.default_rng(SEED).integers(0, len(values), (SAMPLES, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def table_line(name: str, truths: Sequence[PageTruth], results: Sequence[PeerResult | None]) -> str:
    """Return the figures of one reader."""
    pairs = [(truth, result) for truth, result in zip(truths, results, strict=True) if result]
    score = four_gram_f1((t.text, r.text) for t, r in pairs if t.source == BODIES and t.text)
    kept, leaked = (
        sum(passages_in(r.text, getattr(t, kind)) for t, r in pairs) / sum(len(getattr(t, kind)) for t, _ in pairs)
        for kind in ("required", "forbidden")
    )
    titled = [title_matches(t.title, r.title) for t, r in pairs if t.title and t.required and r.seconds is not None]
    times = [r.seconds for _, r in pairs if r.seconds is not None]
    title = f"{sum(titled):3} of {len(titled)}" if titled else ""
    cost = f"{statistics.median(times) * 1000:5.0f} ms" if times else ""
    return (
        f"{name:34} {score.f1:.4f} {score.precision:.4f}  {score.recall:.4f} {kept:6.1%} {leaked:6.1%} {title:9} {cost}"
    )


def commands(python: str, node_modules: Path | None) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return for each peer how to start it, and with which environment."""
    found: dict[str, tuple[list[str], dict[str, str]]] = {
        # -P: modules beside the script have names of the standard library.
        name: ([python, "-P", str(HERE / "peer_readers.py"), name], {})
        for name in READERS
    }
    if node_modules:
        found["Readability.js"] = (["node", str(HERE / "readability_js.cjs")], {"NODE_PATH": str(node_modules)})
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="a Python with the peers installed")
    parser.add_argument("--node-modules", type=Path, help="directory with Readability.js and jsdom")
    parser.add_argument("--pages", type=Path, default=PAGES, help="directory of ground-truth.jsonl.gz")
    options = parser.parse_args()
    truths = load_truth(options.pages)
    ours, left_out = read_by_fuze(truths), read_by_others_weights(truths)
    print(HEAD)
    print(table_line("Fuze", truths, ours))
    print(table_line(LEFT_OUT, truths, left_out), flush=True)
    scores = page_scores(truths, left_out)
    for name, (command, environment) in commands(options.python, options.node_modules).items():
        try:
            results = read_by_peer(command, truths, **environment)
        except NotInstalled as reason:
            print(f"{name:34} skipped: {reason}", flush=True)
            continue
        mean, low, high = difference(scores, page_scores(truths, results))
        print(f"{table_line(name, truths, results)}   {mean:+.4f} [{low:+.4f}, {high:+.4f}]", flush=True)


if __name__ == "__main__":
    main()
