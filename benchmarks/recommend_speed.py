"""How long recommendations take that nothing has been kept of, and how many SQL statements they are.

Each question is about a subject that was never asked about: a new project with three bookmarks and a task, one of the
bookmarks, a text. The person's own recommendations are asked for after each new project, which makes kept ones old.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.corpora import load_links, varied_links
from benchmarks.library import SETTLE_SECONDS, Library, library_items
from benchmarks.loading import save_all, wait_until_embedded, wait_until_quiet
from benchmarks.recommending import Case, ask, begin_project
from benchmarks.statements import counted_statements

LIMIT = 20
GOAL_P95_MS, GOAL_STATEMENTS = 120.0, 6
MOST_CASES = 150
COUNTED = 30

Subject = dict[str, int | str]


def measure(library: Library, cases: Sequence[Case], engines: Sequence[str], bookmarks: int) -> Iterator[str]:
    """Percentiles by subject for `auto`, by engine for projects, and statements by subject."""
    total = _grow(library, bookmarks)
    measured, counted = cases[:MOST_CASES], cases[MOST_CASES : MOST_CASES + COUNTED] or cases[:COUNTED]
    times: dict[str, list[float]] = {}
    for case in measured:
        subjects = _subjects(library, case)
        for kind, subject in subjects.items():
            times.setdefault(kind, []).append(ask(library.owner, limit=LIMIT, **subject).milliseconds)
        for engine in (engine for engine in engines if engine != "auto"):
            answer = ask(library.owner, engine, LIMIT, **subjects["project"])
            times.setdefault(f"project, {engine}", []).append(answer.milliseconds)
    yield f"\ncold answers at {total:,} bookmarks, ms   p50      p95      max   ({len(measured)} each)"
    for kind, taken in times.items():
        p50, p95 = np.percentile(taken, (50, 95))
        yield f"{kind:<38} {p50:7.1f}  {p95:7.1f}  {max(taken):7.1f}"
    slowest = float(max(np.percentile(times[kind], 95) for kind in subjects))
    yield f"{_verdict(slowest < GOAL_P95_MS)}  p95 of each kind of subject < {GOAL_P95_MS:.0f} ms: {slowest:.1f}"
    yield from _statements(library, counted)


def _statements(library: Library, cases: Sequence[Case]) -> Iterator[str]:
    if library.stack is None:
        yield "statements are not counted: that needs the log of a stack of its own"
        return
    prepared = [_subjects(library, case) for case in cases]
    wait_until_quiet(library.url, SETTLE_SECONDS)
    for kind in prepared[0]:
        if kind == "person":
            continue  # The second question of this kind would find the first one's answer.
        with counted_statements(library.stack) as statements:
            for subjects in prepared:
                ask(library.owner, limit=LIMIT, **subjects[kind])
        each = statements.work / len(prepared)
        yield f"{_verdict(each <= GOAL_STATEMENTS)}  statements for {kind} ≤ {GOAL_STATEMENTS}: {each:.2f}"


def _subjects(library: Library, case: Case) -> dict[str, Subject]:
    project_id = begin_project(library.owner, case.section.name, case.description, case.examples)
    body = {"title": f"Read up on {case.section.words}"[:200], "project_id": project_id}
    task_id = library.owner.post("tasks", json=body).raise_for_status().json()["id"]
    return {
        "project": {"project_id": project_id},
        "task": {"task_id": task_id},
        "bookmark": {"bookmark_id": min(case.relevant)},
        "text": {"text": case.section.words},
        "person": {},
    }


def _grow(library: Library, bookmarks: int) -> int:
    """Add variants of the links until there are so many; how many there are."""
    links = load_links()
    if bookmarks > len(links):
        variants = itertools.islice(varied_links(links, bookmarks), len(links), None)
        print(dict(save_all(library.owner, library_items(variants, library.with_tags)).ends), flush=True)
        wait_until_embedded(library.url)
        wait_until_quiet(library.url, SETTLE_SECONDS)
    return max(bookmarks, len(links))


def _verdict(holds: bool) -> str:
    return "PASS" if holds else "FAIL"
