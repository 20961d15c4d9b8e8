"""How well recommendations find a project's reading: `python -m benchmarks.recommend [--data-dir DIR] [--parts …] …`.

The 43,968 real links are loaded through the API into an organization of their own, without tags: their tags are the
headings of the lists, and would give the answer away (`--with-tags` loads them, and measures just that). A section of a
list with 8 to 40 links stands for a project: its headings are the name, three of its links the description and the
attached bookmarks; its other links are what should come back among all. Parts:

- engines: each engine and `auto` beside popularity, chance and a search for the headings. One project is there at a
  time: it is deleted for good before the next begins, so that none helps another.
- colleagues: the same while three other members of the organization have projects like it, with half of the section's
  other links attached among them. All sections' are there at once.
- feedback: five rounds of ten judged recommendations, and what it does to the rest.
- speed: answers that nothing has been kept of, and their SQL statements.

`--data-dir` is loaded once; each part is measured on a copy of its own. Ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean
from typing import IO

from benchmarks import recommend_colleagues, recommend_feedback, recommend_speed
from benchmarks.corpora import load_links, load_sources
from benchmarks.library import Library, kept_library, open_library
from benchmarks.rankings import Quality, judge, mean_quality, paired_difference
from benchmarks.recommending import MOST, Case, ask, make_cases, project_of, search
from benchmarks.sections import choose_sections, find_sections, popular_first

AUTO = "auto"
ENGINES = (AUTO, "content", "semantic", "context", "collaborative", "rediscover")
REFERENCES = ("search", "popular", "chance")
PARTS = ("engines", "colleagues", "feedback", "speed")
SECTIONS, SEED = 320, 20_260_101
TIMES_POPULARITY = 3.0

Table = Mapping[str, Sequence[Quality]]


def main() -> None:
    """Load or open, choose, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--sections", type=int, default=SECTIONS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--with-tags", action="store_true", help="load the tags, which give the sections away")
    parser.add_argument("--data-dir", type=Path, help="where the loaded links are kept, loaded if it holds none")
    parser.add_argument("--base-url", help="a stack that runs on --data-dir itself; what parts leave there stays")
    parser.add_argument("--bookmarks", type=int, default=0, help="for speed: add variants up to so many first")
    parser.add_argument("--dump", type=Path, help="JSON lines {section, engine, relevant, ranking}")
    options = parser.parse_args()
    if options.base_url and not options.data_dir:
        parser.error("--base-url needs the --data-dir of that stack: who its people are stands there")
    print(f"{options.sections} sections, seed {options.seed}, with tags: {options.with_tags}", flush=True)
    with kept_library(options.data_dir, options.with_tags) as kept:
        for part in options.parts:
            with open_library(kept, options.with_tags, options.base_url) as library:
                for line in _measured(part, library, options):
                    print(line, flush=True)


def _measured(part: str, library: Library, options: argparse.Namespace) -> Iterator[str]:
    links, sources = load_links(), load_sources()
    found = find_sections(links, sources, seed=options.seed)
    cases = make_cases(library, choose_sections(found, options.sections, options.seed), links)
    if part == "engines":
        popular = [library.ids[number] for number in popular_first(links, sources)]
        with options.dump.open("w") if options.dump else nullcontext() as dump:
            table = measure(library, cases, options.engines, popular, options.seed, dump)
        yield from summary(table)
    elif part == "colleagues":
        yield from recommend_colleagues.measure(library, cases, options.engines, options.seed)
    elif part == "feedback":
        # Of some sections nothing is left after two rounds.
        more = choose_sections(found, min(len(found), options.sections * 2), options.seed)
        yield from recommend_feedback.measure(library, make_cases(library, more, links), options.sections)
    else:
        yield from recommend_speed.measure(library, cases, options.engines, options.bookmarks)


def measure(
    library: Library, cases: Sequence[Case], engines: Sequence[str], popular: list[int], seed: int, dump: IO[str] | None
) -> dict[str, list[Quality]]:
    """The quality of every engine and reference for each of the cases, in their order."""
    table: dict[str, list[Quality]] = {name: [] for name in (*engines, *REFERENCES)}
    for number, case in enumerate(cases, start=1):
        rankings = _asked(library, case, engines) | _references(library, case, popular, f"{seed}/{number}")
        for name, ranking in rankings.items():
            table[name].append(judge(ranking, case.relevant))
            if dump:
                line = {"section": [case.section.source, *case.section.headings], "engine": name}
                dump.write(json.dumps({**line, "relevant": sorted(case.relevant), "ranking": ranking}) + "\n")
        if number % 50 == 0:
            print(
                f"  {number} sections: {engines[0]} {fmean(one.ndcg_10 for one in table[engines[0]]):.4f}", flush=True
            )
    return table


def summary(table: Table) -> Iterator[str]:
    """The means, the paired differences of `auto` against the best single engine, and which goals hold."""
    means = {name: mean_quality(qualities) for name, qualities in table.items()}
    yield f"\n{'':<14} nDCG@10  Recall@20   ({len(next(iter(table.values())))} sections)"
    for name, quality in means.items():
        yield f"{name:<14} {quality.ndcg_10:.4f}   {quality.recall_20:.4f}"
    single = [name for name in means if name in ENGINES and name != AUTO]
    if AUTO not in means or not single:
        return
    best = max(single, key=lambda name: means[name].ndcg_10)
    for name in single:
        difference = paired_difference([one.ndcg_10 for one in table[AUTO]], [one.ndcg_10 for one in table[name]])
        yield f"nDCG@10 auto − {name}: {difference.describe()}"
    gain = means[AUTO].ndcg_10 - means[best].ndcg_10
    yield f"{_verdict(gain > 0)}  auto beats the best single engine ({best}): {gain:+.4f}"
    popular = means["popular"].ndcg_10
    yield (
        f"{_verdict(means[AUTO].ndcg_10 >= TIMES_POPULARITY * popular)}  auto ≥ {TIMES_POPULARITY:.0f} × popularity: "
        f"{means[AUTO].ndcg_10:.4f} against {popular:.4f}"
    )


def _asked(library: Library, case: Case, engines: Sequence[str]) -> dict[str, list[int]]:
    rankings = {}
    with project_of(library.owner, case) as project_id:
        for engine in engines:
            answer = ask(library.owner, engine, project_id=project_id)
            returned = case.examples.intersection(answer.found)
            if returned:
                raise RuntimeError(f"{engine} offers what is attached: {returned}")
            rankings[engine] = answer.found
    return rankings


def _references(library: Library, case: Case, popular: list[int], seed: str) -> dict[str, list[int]]:
    offered = [bookmark_id for bookmark_id in popular[: MOST + len(case.examples)] if bookmark_id not in case.examples]
    others = [bookmark_id for bookmark_id in library.ids if bookmark_id not in case.examples]
    return {
        "search": search(library.owner, case),
        "popular": offered[:MOST],
        "chance": random.Random(seed).sample(others, MOST),
    }


def _verdict(holds: bool) -> str:
    return "PASS" if holds else "FAIL"


if __name__ == "__main__":
    main()
