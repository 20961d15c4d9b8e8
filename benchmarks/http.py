"""What answers cost over HTTP: `python -m benchmarks.http [--sizes N M] [--connections …] [--rounds R] [--seconds S]`.

A stack for each number of bookmarks, all at the same time, each started as `make run` starts it; beside them a bare
Flask application under the same gunicorn settings, a second web server of the first stack without the rate limiter, and
one of each stack that keeps no answers: the uncached list is the same plain list asked there. A line of its own is the
list with a filter that nobody has asked for before (a moment, another one each time): what passes it has to be counted.
Lists and items are asked for twice: as a plain client does, and with `Accept-Encoding` and `Origin` as browsers do.
wrk loads them in turn, each for a few seconds, several rounds at each number of connections, so that whatever else the
machine does meets all of them; the table shows medians of the rounds, ratios are medians of the ratios within rounds.
Needs `wrk` and `ab` on the PATH. What this version of the product does not have yet is told and left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import httpx

from benchmarks.corpora import WordDraw, draw_queries, link_texts, load_links
from benchmarks.generators import Burst, Load, Target, need_programs, run_ab, run_wrk
from benchmarks.loading import DEADLINE_SECONDS, wait_until_quiet
from benchmarks.search_speed import load_varied_links
from benchmarks.stack import RAISED_LIMITS, RunningStack, SessionAuth, another_web, bare_web, new_person, running_stack

BARE, CACHED, UNCACHED, FILTERED, ITEM, NOT_MODIFIED, SEARCH, CREATE, UNLIMITED = (
    *("bare Flask", "cached list", "uncached list", "list before a moment", "item", "304", "search", "create"),
    "cached list, no limiter",
)
# The same as a browser sends them.
OF_BROWSER = {kind: f"{kind}, browser" for kind in (CACHED, UNCACHED, FILTERED, ITEM)}
ORIGIN = "https://client.example"
BROWSER_HEADERS = {"Accept-Encoding": "gzip, br, zstd", "Origin": ORIGIN}
SETTINGS = {
    "EMBEDDING_PROVIDER": "none",
    "ACCESS_TOKEN_MINUTES": "1440",
    "ALLOWED_ORIGINS": ORIGIN,
    **RAISED_LIMITS,
}
LIST = "bookmarks?page_size=20"
QUERIES = 1_000
BARE_SHARE = 0.35
BROWSER_SHARE = 0.9
GROWTH_SHARE = 0.8
LIMITER_MS = 1.0
BURST_REQUESTS, BURST_CONNECTIONS, BURST_PER_SECOND = 1_000, 100, 1_000
WARM_UP_SECONDS = 1.0
DRAIN_SECONDS = 1.5

# Kind and number of bookmarks; the bare application has none.
Name = tuple[str, int]
Rounds = dict[Name, list[Load]]
Measured = dict[int, Rounds]


@dataclass(frozen=True)
class Collection:
    """A person with so many bookmarks, in a stack of their own."""

    stack: RunningStack
    client: httpx.Client
    size: int

    @property
    def headers(self) -> dict[str, str]:
        assert isinstance(self.client.auth, SessionAuth)
        return {"Authorization": f"Bearer {self.client.auth.access_token}"}

    def total(self) -> int:
        """How many bookmarks there are."""
        return int(self.client.get(LIST).raise_for_status().json()["total"])

    def target(self, path: str, kind: str = "same", file: Path | None = None, **headers: str) -> Target:
        """A path below /api/v1 as a target."""
        return Target(f"{self.stack.url}/api/v1/{path}", {**self.headers, **headers}, kind, file)


@dataclass(frozen=True)
class Features:
    """What this version of the product has, as far as a client can see."""

    cache: bool
    etags: bool
    limits: bool

    @classmethod
    def seen_by(cls, client: httpx.Client) -> Features:
        """Look at the answers to two requests."""
        answer = client.get(LIST).raise_for_status()
        statistics_there = client.get("cache/stats").status_code != httpx.codes.NOT_FOUND
        return cls(statistics_there, "ETag" in answer.headers, "X-RateLimit-Limit-60s" in answer.headers)

    def describe(self) -> Iterator[str]:
        """A line for each that is missing, and what follows from it for the table."""
        if not self.cache:
            yield f"not there: the cache (GET /cache/stats answers 404): {CACHED!r} and {ITEM!r} come from the database"
        if not self.etags:
            yield f"not there: ETag: {NOT_MODIFIED!r} is left out"
        if not self.limits:
            yield "not there: the rate limiter (no X-RateLimit headers): on and off are the same"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--connections", type=int, nargs="+", default=[2, 16, 64, 100])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="length of each run of wrk")
    parser.add_argument("--settle", type=float, default=15, help="seconds of quiet before the first run")
    options = parser.parse_args()

    need_programs("wrk", "ab")
    links = load_links()
    with ExitStack() as running:
        collections = [collect(running, links, size) for size in options.sizes]
        for each in collections:
            wait_until_quiet(each.stack.url, options.settle)
        features = Features.seen_by(collections[0].client)
        print("", *features.describe(), sep="\n", flush=True)
        bare = Target(running.enter_context(bare_web()) + "/")
        targets = {(BARE, 0): bare}
        for each in collections:
            targets |= targets_of(each, features, links)
            keeping_nothing = running.enter_context(another_web(each.stack, **SETTINGS, ENABLE_CACHING="false"))
            uncached = Target(f"{keeping_nothing}/api/v1/{LIST}", each.headers)
            targets |= {(UNCACHED, each.size): uncached, (OF_BROWSER[UNCACHED], each.size): as_browser(uncached)}
        first = collections[0]
        unlimited = running.enter_context(another_web(first.stack, **SETTINGS, ENABLE_RATE_LIMITING="false"))
        targets[UNLIMITED, first.size] = Target(f"{unlimited}/api/v1/{LIST}", first.headers)
        measured = {number: measure(targets, number, options) for number in options.connections}
        bursts = {0: run_ab(bare, BURST_REQUESTS, BURST_CONNECTIONS)}
        bursts |= {each.size: run_ab(each.target(LIST), BURST_REQUESTS, BURST_CONNECTIONS) for each in collections}
        # Last, since it makes the collections larger.
        created = [line for each in collections for line in measure_creating(each, measured, options)]
    for number, rounds in measured.items():
        print(f"\n{number} connections: requests/s, and p50 / p95 / p99 in ms", *table(rounds), sep="\n")
    print("", *verdicts(measured, features), *burst_verdicts(bursts), *created, sep="\n")


def collect(running: ExitStack, links: list[dict[str, object]], size: int) -> Collection:
    """A stack with `size` bookmarks, which runs as long as `running`."""
    print(f"\n{size:,} bookmarks", flush=True)
    stack = running.enter_context(running_stack("--rq-workers", "1", **SETTINGS))
    client = new_person(stack.url)
    load_varied_links(stack, client, links, size, DEADLINE_SECONDS)
    return Collection(stack, client, size)


def targets_of(each: Collection, features: Features, links: list[dict[str, object]]) -> dict[Name, Target]:
    """All that is read of a collection."""
    answer = each.client.get(LIST).raise_for_status()
    queries = draw_queries(WordDraw(link_texts(links)), QUERIES)
    searches = each.stack.data_dir / "searches.txt"
    searches.write_text("".join(f"/api/v1/search?{urlencode({'q': query, 'mode': 'text'})}\n" for query in queries))
    found = {
        CACHED: each.target(LIST),
        FILTERED: each.target(LIST, "moments"),
        ITEM: each.target(f"bookmarks/{answer.json()['items'][0]['id']}"),
        SEARCH: each.target("search", "paths", searches),
    }
    found |= {OF_BROWSER[kind]: as_browser(found[kind]) for kind in (CACHED, FILTERED, ITEM)}
    if features.etags:
        found[NOT_MODIFIED] = each.target(LIST, **{"If-None-Match": answer.headers["ETag"]})
        again = each.client.get(LIST, headers={"If-None-Match": answer.headers["ETag"]})
        if again.status_code != httpx.codes.NOT_MODIFIED:
            raise RuntimeError(f"{answer.headers['ETag']} was sent back at once, and answered {again.status_code}")
    return {(kind, each.size): target for kind, target in found.items()}


def as_browser(target: Target) -> Target:
    """Return the target with the headers of a browser."""
    return replace(target, headers={**target.headers, **BROWSER_HEADERS})


def measure(targets: Mapping[Name, Target], connections: int, options: argparse.Namespace) -> Rounds:
    """All targets in turn, several rounds, after one that warms up."""
    for target in targets.values():
        run_wrk(target, connections, WARM_UP_SECONDS)
    rounds: Rounds = {name: [] for name in targets}
    for number in range(options.rounds):
        print(f"{connections} connections, round {number + 1} of {options.rounds}", flush=True)
        for name, target in targets.items():
            rounds[name].append(run_wrk(target, connections, options.seconds))
            # wrk leaves at its end; the server goes on with what it was asked, a second long at a hundred searches.
            time.sleep(DRAIN_SECONDS)
    return rounds


def measure_creating(each: Collection, measured: Measured, options: argparse.Namespace) -> Iterator[str]:
    """Create bookmarks, add what it cost to the measured, and judge whether all that was answered for is there."""
    before = each.total()
    loads = []
    for number in options.connections:
        loads.append(run_wrk(each.target("bookmarks", "create"), number, options.seconds))
        measured[number][CREATE, each.size] = loads[-1:]
    more, answered = each.total() - before, sum(load.requests for load in loads)
    # Those that wrk did not wait for at the end of a run are there too.
    holds = answered <= more <= answered + sum(options.connections)
    yield _verdict(holds, f"create at {each.size:,}: {answered} answers, {more} more bookmarks")


def table(rounds: Rounds) -> Iterator[str]:
    """A line for each kind, the collections side by side."""
    for kind in dict.fromkeys(kind for kind, _ in rounds):
        cells = [_cell(size, loads) for (other, size), loads in rounds.items() if other == kind]
        yield f"  {kind:<30} {'   '.join(cells)}"


def verdicts(measured: Measured, features: Features) -> Iterator[str]:
    """PASS or FAIL for each goal. An answer of 400 or more, or none at all, fails what it was measured for."""
    for connections, rounds in measured.items():
        for kind, size in rounds:
            if kind in (CACHED, ITEM):
                share, sound = _ratio(rounds, (kind, size), (BARE, 0))
                claim = f"{kind} at {size:,}, {connections} connections: {share:.2f} × bare Flask's requests/s"
                yield _verdict(sound and share >= BARE_SHARE, f"{claim}, wanted ≥ {BARE_SHARE}")
            if kind in (OF_BROWSER[CACHED], OF_BROWSER[ITEM]):
                yield _browser_verdict(rounds, kind, size, connections)
        sizes = sorted(size for kind, size in rounds if kind == UNCACHED)
        if len(sizes) > 1:
            share, sound = _ratio(rounds, (UNCACHED, sizes[-1]), (UNCACHED, sizes[0]))
            claim = f"{UNCACHED}, {connections} connections: at {sizes[-1]:,} {share:.2f} × requests/s at {sizes[0]:,}"
            yield _verdict(sound and share >= GROWTH_SHARE, f"{claim}, wanted ≥ {GROWTH_SHARE}")
    yield from limiter_verdicts(measured, features)
    faults = sum(load.faults for rounds in measured.values() for loads in rounds.values() for load in loads)
    yield _verdict(not faults, f"{faults} answers were refusals or did not come")


def _browser_verdict(rounds: Rounds, kind: str, size: int, connections: int) -> str:
    plain = next(plain for plain, browser in OF_BROWSER.items() if browser == kind)
    share, sound = _ratio(rounds, (kind, size), (plain, size))
    claim = f"{kind} at {size:,}, {connections} connections: {share:.2f} × requests/s without a browser's headers"
    return _verdict(sound and share >= BROWSER_SHARE, f"{claim}, wanted ≥ {BROWSER_SHARE}")


def limiter_verdicts(measured: Measured, features: Features) -> Iterator[str]:
    """The limiter's cost, judged where nothing queues: with more connections p50 is the length of the queue."""
    if not features.limits:
        yield "SKIP  limiter on and off: it is not there"
        return
    for connections, rounds in measured.items():
        [size] = [size for kind, size in rounds if kind == UNLIMITED]
        pairs = list(zip(rounds[CACHED, size], rounds[UNLIMITED, size], strict=True))
        cost = statistics.median(limited.p50 - unlimited.p50 for limited, unlimited in pairs)
        claim = f"limiter, {connections} connections: {cost:+.2f} ms at p50"
        if connections == min(measured):
            sound = not any(load.faults for pair in pairs for load in pair)
            yield _verdict(sound and cost <= LIMITER_MS, f"{claim}, wanted ≤ {LIMITER_MS}")
        else:
            yield f"      {claim}"


def burst_verdicts(bursts: Mapping[int, Burst]) -> Iterator[str]:
    """What ab found: each request over a connection of its own. The bare application's is told for comparison."""
    for size, burst in bursts.items():
        what = f"{CACHED} at {size:,}" if size else BARE
        claim = f"ab -n {BURST_REQUESTS} -c {BURST_CONNECTIONS}, {what}: {burst.complete} complete"
        claim = f"{claim}, {burst.failed} failed, {burst.per_second:.0f}/s"
        sound = burst.complete == BURST_REQUESTS and not burst.failed and burst.per_second >= BURST_PER_SECOND
        yield _verdict(sound, f"{claim}, wanted 0 and ≥ {BURST_PER_SECOND}") if size else f"      {claim}"


def _ratio(rounds: Rounds, name: Name, other: Name) -> tuple[float, bool]:
    """The median over the rounds of how many times the other's requests/s; and whether all were answered."""
    pairs = list(zip(rounds[name], rounds[other], strict=True))
    share = statistics.median(one.per_second / two.per_second for one, two in pairs)
    return share, not any(load.faults for pair in pairs for load in pair)


def _cell(size: int, loads: Sequence[Load]) -> str:
    def median(value: Callable[[Load], float]) -> float:
        return statistics.median(value(load) for load in loads)

    times = " / ".join(
        f"{median(value):.1f}" for value in (lambda load: load.p50, lambda load: load.p95, lambda load: load.p99)
    )
    faults = sum(load.faults for load in loads)
    where = f"{size:>7,}: " if size else ""
    return f"{where}{median(lambda load: load.per_second):7.0f}/s {times:<22}{f' FAULTS {faults}' if faults else ''}"


def _verdict(holds: bool, claim: str) -> str:
    return f"{'PASS' if holds else 'FAIL'}  {claim}"


if __name__ == "__main__":
    main()
