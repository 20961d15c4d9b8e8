"""How fast searches are, over HTTP: `python -m benchmarks.search_speed [--bookmarks N] [--small N] [--long N] …`.

Three fresh stacks, one after the other, each started as `make run` starts it, with one organization in it:
`--bookmarks` links (real ones, then variants of them), `--small` of the same, and `--long` bookmarks with page texts of
300 to 3,000 words. Queries are of 1 to 5 words as frequent as they are in the corpus, asked one after the other over
one connection; the same ones on both sizes. Percentiles by the client's clock, and which goals hold.

`--skip-small` and `--skip-long` leave a stack out; `--modes text` runs without embeddings, which saves the wait for
them.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import httpx

from benchmarks.corpora import (
    LongPage,
    WordDraw,
    draw_beginnings,
    draw_queries,
    link_texts,
    load_links,
    load_sentences,
    long_pages,
    varied_links,
)
from benchmarks.loading import DEADLINE_SECONDS, pending_embeddings, save_all, wait_until_embedded, wait_until_quiet
from benchmarks.stack import RunningStack, new_person, running_stack
from benchmarks.stored_pages import application_of, store_pages
from benchmarks.timing import Timings, ask_all

MODES = ("text", "hybrid", "semantic")
SUGGEST = "suggest"
LONG_TEXTS = "long texts"
# Milliseconds, and how many times the smaller collection's median the larger one's may be.
P95_GOALS = {"text": 60, "hybrid": 90, SUGGEST: 20, LONG_TEXTS: 80}
RATIO_GOAL = 3
WARM_UP = 50
WARM_UP_SEED = 1
SLOWEST = 5
PAGES_PER_ROUND = 1_000
# Longer than any run, so that no renewal of a token falls into a measurement.
SETTINGS = {"ENABLE_RATE_LIMITING": "false", "ACCESS_TOKEN_MINUTES": "1440"}

Measured = dict[str, Timings]


@dataclass(frozen=True)
class Asked:
    """The queries, others to warm up with, and the modes to ask them in."""

    queries: list[str]
    warm_up: list[str]
    modes: list[str]

    @classmethod
    def drawn(cls, words: WordDraw, count: int, modes: list[str]) -> Asked:
        """So many queries in these words."""
        return cls(draw_queries(words, count), draw_queries(words, WARM_UP, WARM_UP_SEED), modes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bookmarks", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--skip-small", action="store_true")
    parser.add_argument("--skip-long", action="store_true")
    parser.add_argument("--settle", type=float, default=30, help="seconds of quiet before the first query")
    parser.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="longest wait for the worker, seconds")
    options = parser.parse_args()

    links = load_links()
    asked = Asked.drawn(WordDraw(link_texts(varied_links(links, options.bookmarks))), options.queries, options.modes)
    large = measure_links(links, options.bookmarks, asked, options)
    small = {} if options.skip_small else measure_links(links, options.small, asked, options)
    long = {} if options.skip_long else measure_long_texts(options)
    print()
    for line in verdicts(large, small, long):
        print(line)


def measure_links(
    links: list[dict[str, object]], count: int, asked: Asked, options: argparse.Namespace
) -> dict[str, Timings]:
    """Timings of each mode and of the suggestions over `count` links, in a stack of their own."""
    provider = {"EMBEDDING_PROVIDER": "none"} if asked.modes == ["text"] else {}
    print(f"\n{count} links", flush=True)
    with running_stack("--rq-workers", "1", **SETTINGS, **provider) as stack:
        client = new_person(stack.url)
        load_varied_links(stack, client, links, count, options.deadline)
        wait_until_quiet(stack.url, options.settle, options.deadline)
        measured = measure_modes(client, asked)
        suggested = measure_suggest(client, asked)
        return {**measured, **suggested}


def load_varied_links(
    stack: RunningStack, client: httpx.Client, links: list[dict[str, object]], count: int, deadline: float
) -> None:
    """Save the links and wait for their vectors; both times are printed."""
    items = list(varied_links(links, count))
    started = time.perf_counter()
    saved = save_all(client, items)
    print(f"  saved in bulk: {dict(saved.ends)} in {saved.seconds:.1f} s, {count / saved.seconds:.0f}/s", flush=True)
    rest = pending_embeddings(stack.url)
    if rest:
        alone = wait_until_embedded(stack.url, deadline)
        whole = time.perf_counter() - started
        print(
            f"  embedded by one worker: all {whole:.0f} s after the first was sent, {count / whole:.0f}/s; "
            f"the {rest} that waited when saving had ended in {alone:.0f} s, {rest / max(alone, 0.01):.0f}/s",
            flush=True,
        )


def measure_long_texts(options: argparse.Namespace) -> Measured:
    """Timings of searches by words over bookmarks with long page texts, in a stack of their own."""
    sentences = load_sentences()
    asked = Asked.drawn(WordDraw(sentences), options.queries, ["text"])
    print(f"\n{options.long} long texts", flush=True)
    with running_stack("--rq-workers", "1", EMBEDDING_PROVIDER="none", **SETTINGS) as stack:
        client = new_person(stack.url)
        started = time.perf_counter()
        with application_of(stack):
            load_long_pages(client, long_pages(sentences, options.long))
        seconds = time.perf_counter() - started
        print(f"  saved and stored in {seconds:.0f} s, {options.long / seconds:.0f}/s", flush=True)
        wait_until_quiet(stack.url, options.settle, options.deadline)
        return {LONG_TEXTS: measure_modes(client, asked)["text"]}


def load_long_pages(client: httpx.Client, pages: Iterator[LongPage]) -> None:
    """Save a bookmark for each page over HTTP, and its text below the API; wants the application's context."""
    while batch := list(islice(pages, PAGES_PER_ROUND)):
        saved = save_all(client, [_bookmark(page) for page in batch])
        store_pages([(id_, page) for id_, page in zip(saved.ids, batch, strict=True) if id_ is not None])


def measure_modes(client: httpx.Client, asked: Asked) -> Measured:
    """All queries in each mode, after others that warm it up."""
    measured = {}
    for mode in asked.modes:
        ask_all(client, "search", asked.warm_up, mode=mode)
        measured[mode] = ask_all(client, "search", asked.queries, mode=mode)
        print_timings(mode, measured[mode])
    return measured


def measure_suggest(client: httpx.Client, asked: Asked) -> Measured:
    """Suggestions for beginnings of the queries; nothing where the route does not exist."""
    warm_up = ask_all(client, "search/suggest", draw_beginnings(asked.warm_up))
    if set(warm_up.faults) == {httpx.codes.NOT_FOUND}:
        print("  suggest: skipped, GET /search/suggest answers 404")
        return {}
    timings = ask_all(client, "search/suggest", draw_beginnings(asked.queries))
    print_timings(SUGGEST, timings)
    return {SUGGEST: timings}


def print_timings(name: str, timings: Timings) -> None:
    """Percentiles, and the slowest queries to look into."""
    print(f"  {name:<9} {timings.describe()}")
    for answer in timings.slowest(SLOWEST):
        server = "" if answer.server_milliseconds is None else f" ({answer.server_milliseconds:.1f} in the server)"
        print(f"    {answer.milliseconds:8.1f} ms{server}  {answer.query!r}", flush=True)


def verdicts(large: Mapping[str, Timings], small: Mapping[str, Timings], long: Mapping[str, Timings]) -> Iterator[str]:
    """PASS or FAIL for each goal that was measured. An answer other than 200 fails its goal."""
    for name, timings in {**large, **long}.items():
        if name in P95_GOALS:
            holds = timings.p95 < P95_GOALS[name] and not timings.faults
            yield _verdict(holds, f"{name}: p95 {timings.p95:.1f} ms, wanted < {P95_GOALS[name]}")
    for name in large:
        if name in small:
            ratio = large[name].p50 / small[name].p50
            claim = f"{name}: median {large[name].p50:.1f} ms, {ratio:.2f} times that of the small collection"
            yield _verdict(ratio <= RATIO_GOAL, f"{claim}, wanted ≤ {RATIO_GOAL}")


def _bookmark(page: LongPage) -> dict[str, object]:
    # The address must differ from page to page and mean nothing; titles may come twice.
    digest = hashlib.sha256(page.text.encode()).hexdigest()[:16]
    return {"url": f"https://pages.example/{digest}", "title": page.title, "capture": False}


def _verdict(holds: bool, claim: str) -> str:
    return f"{'PASS' if holds else 'FAIL'}  {claim}"


if __name__ == "__main__":
    main()
