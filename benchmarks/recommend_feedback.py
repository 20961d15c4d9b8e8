"""What feedback does to recommendations, by residual collection.

A person looks at ten recommendations and says of each whether it fits the project (it does if it is of the section);
five times over. After each round all that was judged so far is taken out of the ranking and out of what is relevant,
and the rest is compared with the ranking of before the first round, out of which the same was taken: what was judged
cannot lift the measure, only what was learned from it. That first ranking is 50 long, as long as the API gives, so that
after four rounds ten of it may be left. Sections of which everything relevant has been judged drop out of a round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from benchmarks.library import Library
from benchmarks.rankings import NDCG_DEPTH, Interval, judge, relative_gain, residual
from benchmarks.recommending import Case, ask, project_of, tell

ROUNDS, PER_ROUND = 5, 10
GOAL_ROUND, GOAL_GAIN = 2, 0.10


@dataclass(frozen=True)
class Residue:
    """After a round: nDCG@10 of what is left with and without feedback, and whether ten of the latter are left."""

    with_feedback: float
    without: float
    ten_left: bool


@dataclass
class Course:
    """Of one section: the residues by round (None: nothing relevant was left), and what was found up to each.

    `found` is the share of the relevant among the first 10, 20, … judged; `found_without` among as many of the first
    ranking; `returned` counts what came again after it had been judged not relevant.
    """

    residues: list[Residue | None] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    found_without: list[float] = field(default_factory=list)
    returned: int = 0


def measure(library: Library, cases: Sequence[Case], wanted: int) -> Iterator[str]:
    """Play the rounds until `wanted` sections had something left after the second, and say what it did."""
    courses: list[Course] = []
    for case in cases:
        courses.append(play(library, case))
        if len(courses) % 50 == 0:
            print(f"  {len(courses)} sections", flush=True)
        if sum(course.residues[GOAL_ROUND - 1] is not None for course in courses) == wanted:
            break
    yield from summary(courses)


def play(library: Library, case: Case) -> Course:
    """Five rounds for one section, in a project that is deleted for good afterwards."""
    course = Course()
    judged: set[int] = set()
    with project_of(library.owner, case) as project_id:
        first = answer = ask(library.owner, project_id=project_id)
        for number in range(1, ROUNDS + 1):
            shown = residual(answer.found, judged)[:PER_ROUND]
            for bookmark_id in shown:
                tell(library.owner, answer, bookmark_id, project_id, bookmark_id in case.relevant)
            judged.update(shown)
            answer = ask(library.owner, project_id=project_id)
            course.residues.append(residue(answer.found, first.found, case.relevant, judged))
            course.found.append(len(case.relevant & judged) / len(case.relevant))
            as_many = first.found[: number * PER_ROUND]
            course.found_without.append(len(case.relevant.intersection(as_many)) / len(case.relevant))
            course.returned += len((judged - case.relevant).intersection(answer.found))
    return course


def residue(now: Sequence[int], first: Sequence[int], relevant: Collection[int], judged: set[int]) -> Residue | None:
    """What is left of two rankings without what was judged; None where nothing relevant is left."""
    left = set(relevant) - judged
    if not left:
        return None
    without = residual(first, judged)
    return Residue(judge(residual(now, judged), left).ndcg_10, judge(without, left).ndcg_10, len(without) >= NDCG_DEPTH)


def summary(courses: Sequence[Course]) -> Iterator[str]:
    """One line for each round, and whether two rounds gain as much as they should."""
    yield f"\nfeedback, {len(courses)} sections; what is left, nDCG@10"
    yield "round  sections  without  with    gain, % [95 %]           found of all without  with    ten left without"
    for number in range(1, ROUNDS + 1):
        residues = [found for course in courses if (found := course.residues[number - 1]) is not None]
        yield _round_line(number, residues, courses)
    gain = _gain([found for course in courses if (found := course.residues[GOAL_ROUND - 1]) is not None])
    returned = sum(course.returned for course in courses)
    holds = gain is not None and gain.value >= GOAL_GAIN
    yield f"{_verdict(holds)}  after {GOAL_ROUND} rounds ≥ {GOAL_GAIN:.0%} better on what is left: {_told(gain)}"
    yield f"{_verdict(returned == 0)}  what was judged not relevant does not return: {returned} times"


def _round_line(number: int, residues: Sequence[Residue], courses: Sequence[Course]) -> str:
    without = fmean(one.without for one in residues) if residues else 0.0
    with_feedback = fmean(one.with_feedback for one in residues) if residues else 0.0
    found = fmean(course.found[number - 1] for course in courses)
    found_without = fmean(course.found_without[number - 1] for course in courses)
    long_enough = sum(one.ten_left for one in residues)
    return (
        f"{number:<6} {len(residues):<9} {without:.4f}   {with_feedback:.4f}  {_told(_gain(residues)):<24} "
        f"{found_without:.4f}                {found:.4f}  {long_enough}"
    )


def _gain(residues: Sequence[Residue]) -> Interval | None:
    """None where there is nothing to hold it against."""
    if not any(one.without for one in residues):
        return None
    return relative_gain([one.with_feedback for one in residues], [one.without for one in residues])


def _told(gain: Interval | None) -> str:
    return gain.describe(100, 1) if gain else "of nothing"


def _verdict(holds: bool) -> str:
    return "PASS" if holds else "FAIL"
