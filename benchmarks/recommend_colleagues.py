"""Recommendations while others in the organization have projects like it.

For each section three colleagues have a project each, under its headings in other orders. Half of the section's links
but the examples are *known*: a colleague has attached each of these, and each example, with a chance of two in three,
and two links from elsewhere as well. So others have found half of what should come back, and nobody the other half.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks.library import Library
from benchmarks.rankings import judge, mean_quality, paired_difference
from benchmarks.recommending import Case, ask, begin_project, project_of

ATTACHED_SHARE = 2 / 3
FROM_ELSEWHERE = 2


def measure(library: Library, cases: Sequence[Case], engines: Sequence[str], seed: int) -> Iterator[str]:
    """Each engine with the colleagues' projects there, and `auto` against `auto` without them."""
    alone = _ask_all(library, cases, ["auto"])["auto"]
    known = [_known(case, f"{seed}/{number}") for number, case in enumerate(cases)]
    for number, (case, half) in enumerate(zip(cases, known, strict=True)):
        _begin_projects(library, case, half, random.Random(f"{seed}/colleagues/{number}"))
    together = _ask_all(library, cases, engines)
    yield f"\nwith colleagues nDCG@10  Recall@20  Recall@20 of what colleagues know   ({len(cases)} sections)"
    for engine, rankings in together.items():
        quality = mean_quality([judge(found, case.relevant) for found, case in zip(rankings, cases, strict=True)])
        of_known = mean_quality([judge(found, half) for found, half in zip(rankings, known, strict=True)])
        yield f"{engine:<15} {quality.ndcg_10:.4f}   {quality.recall_20:.4f}     {of_known.recall_20:.4f}"
    if "auto" in together:
        before = [judge(found, case.relevant).ndcg_10 for found, case in zip(alone, cases, strict=True)]
        after = [judge(found, case.relevant).ndcg_10 for found, case in zip(together["auto"], cases, strict=True)]
        yield f"nDCG@10 auto with colleagues − alone: {paired_difference(after, before).describe()}"


def other_names(headings: Sequence[str]) -> list[str]:
    """What three colleagues call the same work: as it is, the other way round, and by its last heading only."""
    return [" ".join(headings), " / ".join(reversed(headings)), headings[-1]]


def attached_by_colleague(
    case: Case, known: frozenset[int], others: Sequence[int], chance: random.Random
) -> frozenset[int]:
    """What one colleague has attached: most of what is known and of the examples, and something of `others`."""
    fitting = [found for found in sorted(known | case.examples) if chance.random() < ATTACHED_SHARE]
    return frozenset(fitting).union(chance.sample(others, FROM_ELSEWHERE))


def _known(case: Case, seed: str) -> frozenset[int]:
    relevant = sorted(case.relevant)
    return frozenset(random.Random(seed).sample(relevant, len(relevant) // 2))


def _begin_projects(library: Library, case: Case, known: frozenset[int], chance: random.Random) -> None:
    names = other_names(case.section.spoken)
    for client, name in zip(library.people[1:], names, strict=True):
        project_id = begin_project(client, name, "", frozenset())
        attached = attached_by_colleague(case, known, library.ids, chance)
        body = {"ids": sorted(attached), "action": "add_to_project", "project_id": project_id}
        client.post("bookmarks/actions", json=body).raise_for_status()


def _ask_all(library: Library, cases: Sequence[Case], engines: Sequence[str]) -> dict[str, list[list[int]]]:
    rankings: dict[str, list[list[int]]] = {engine: [] for engine in engines}
    for case in cases:
        with project_of(library.owner, case) as project_id:
            for engine in engines:
                rankings[engine].append(ask(library.owner, engine, project_id=project_id).found)
    return rankings
