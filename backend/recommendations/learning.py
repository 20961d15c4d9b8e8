"""What feedback teaches: which engines, and which tags, a person agrees with.

Each engine and each tag is a coin with an unknown chance that what it speaks for is wanted. Feedback is a toss; the
chance is estimated by the mean of a Beta distribution (Beta-Bernoulli: Gelman et al., Bayesian Data Analysis, chapter
2). The prior is the rate of approval over everything, so that a person who likes nothing does not unteach one engine,
and weighs as much as `PRIOR` tosses, so that a single one moves little. The person's own feedback counts in full, that
of others in the organization a quarter; a recommendation tosses each engine's coin by the engine's share in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Name = TypeVar("Name", str, int)

# How many tosses the prior is worth.
PRIOR = 6.0
# What others' feedback counts beside one's own.
OF_OTHERS = 0.25
# Implicit signs weigh less than words.
APPROVAL = {"relevant": 1.0, "saved": 0.5, "opened": 0.25}
REFUSAL = {"not_relevant": 1.0, "dismissed": 0.5}
# No engine or tag gets more or less than this part of what it would have.
LOWEST, HIGHEST = 0.5, 1.6


@dataclass(frozen=True)
class Tosses:
    """How often something was approved and refused, weighted."""

    approved: float = 0.0
    refused: float = 0.0

    def mean(self, rate: float) -> float:
        """The posterior mean of its chance, for a prior of this rate."""
        return (PRIOR * rate + self.approved) / (PRIOR + self.approved + self.refused)


@dataclass(frozen=True)
class Opinions:
    """What was learnt: factors around 1, for engines by name and for tags by id."""

    engines: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[int, float] = field(default_factory=dict)

    def engine(self, name: str) -> float:
        """What the engine's part in a fusion is multiplied by."""
        return self.engines.get(name, 1.0)

    def tagged(self, tag_ids: Iterable[int]) -> float:
        """What a bookmark's score is multiplied by for its tags: the mean of what is known of them."""
        known = [self.tags[id_] for id_ in tag_ids if id_ in self.tags]
        return sum(known) / len(known) if known else 1.0


def opinions_of(
    engines: Sequence[tuple[bool, str, str, float]], tags: Sequence[tuple[bool, str, int, float]]
) -> Opinions:
    """What feedback teaches.

    Args:
        engines: Rows of (the person's own, kind, engine, sum of the engine's shares).
        tags: Rows of (the person's own, kind, tag id, how often).
    """
    return Opinions(_factors(engines), _factors(tags))


def _factors(rows: Sequence[tuple[bool, str, Name, float]]) -> dict[Name, float]:
    approved: dict[Name, float] = defaultdict(float)
    refused: dict[Name, float] = defaultdict(float)
    for own, kind, name, number in rows:
        weight = number * (1.0 if own else OF_OTHERS)
        approved[name] += weight * APPROVAL.get(kind, 0.0)
        refused[name] += weight * REFUSAL.get(kind, 0.0)
    everything = Tosses(sum(approved.values()), sum(refused.values()))
    # Half of everything is liked, as long as nothing is known.
    rate = everything.mean(0.5)
    names = approved.keys() | refused.keys()
    return {name: _factor(Tosses(approved[name], refused[name]), rate) for name in names}


def _factor(tosses: Tosses, rate: float) -> float:
    return min(HIGHEST, max(LOWEST, tosses.mean(rate) / rate))
