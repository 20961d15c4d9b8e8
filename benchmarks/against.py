"""Compare this checkout with another one over HTTP: `python -m benchmarks.against DIRECTORY [--size N] [--rounds R]
[--kinds K …]`.

Starts a stack of each checkout on equal data, and loads both in turn with wrk, the order swapped in each round, so that
whatever else the machine does meets both. Prints the medians of both and the median of the ratios within rounds.
DIRECTORY needs a `.venv` that can run it, or shares the one of this checkout. Needs `wrk` on the PATH.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.corpora import load_links
from benchmarks.generators import Load, Target, need_programs, run_wrk
from benchmarks.http import SEARCH, SETTINGS, Collection, Features, targets_of
from benchmarks.loading import DEADLINE_SECONDS, wait_until_counted, wait_until_quiet
from benchmarks.search_speed import load_varied_links
from benchmarks.stack import ROOT, new_person, running_stack

WARM_UP_SECONDS = 1.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="the other checkout")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--connections", type=int, nargs="+", default=[2, 16])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--kinds", nargs="+", help="compare only these kinds of requests")
    options = parser.parse_args()
    need_programs("wrk")
    with ExitStack() as running:
        sides = [targets(running, root.resolve(), options.size) for root in (options.directory, ROOT)]
        for connections in options.connections:
            print(f"\n{connections} connections: the other's and our requests/s, ours ÷ the other's", flush=True)
            for line in compare(*sides, connections, options):
                print(line, flush=True)


def targets(running: ExitStack, root: Path, size: int) -> dict[str, Target]:
    """What is read of a stack of this checkout, which runs as long as `running`."""
    print(root, flush=True)
    stack = running.enter_context(running_stack("--rq-workers", "1", root=root, **SETTINGS))
    client = new_person(stack.url)
    links = load_links()
    load_varied_links(stack, client, links, size, DEADLINE_SECONDS)
    wait_until_counted(stack)
    wait_until_quiet(stack.url, 10)
    collection = Collection(stack, client, size)
    found = {kind: target for (kind, _), target in targets_of(collection, Features.seen_by(client), links).items()}
    found["create"] = collection.target("bookmarks", "create")
    return {**found, f"{SEARCH}, again": Target(f"{stack.url}/api/v1/search?q=python&mode=text", collection.headers)}


def compare(
    theirs: dict[str, Target], ours: dict[str, Target], connections: int, options: argparse.Namespace
) -> Iterator[str]:
    """A line for each kind of request."""
    for kind in options.kinds or ours:
        pairs: list[tuple[Load, Load]] = []
        for side in (theirs, ours):
            run_wrk(side[kind], connections, WARM_UP_SECONDS)
        for number in range(options.rounds):
            order = (theirs, ours) if number % 2 else (ours, theirs)
            loads = {id(side): run_wrk(side[kind], connections, options.seconds) for side in order}
            pairs.append((loads[id(theirs)], loads[id(ours)]))
        other, own = (statistics.median(load.per_second for load in side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(own.per_second / other.per_second for other, own in pairs)
        faults = sum(load.faults for pair in pairs for load in pair)
        yield f"  {kind:<30} {other:8.0f}/s {own:8.0f}/s   {ratio:.3f}{f'   FAULTS {faults}' if faults else ''}"


if __name__ == "__main__":
    main()
