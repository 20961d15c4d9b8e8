"""Learning from feedback: weights of engines and tags.

Each engine and each tag has an unknown approval rate, estimated by the posterior mean of a Beta distribution
(Beta-Bernoulli: Gelman et al., Bayesian Data Analysis, chapter 2). The prior mean is the approval rate over everything,
so that a person who approves of nothing does not lower a single engine; it weighs `PRIOR` observations, so that one
observation changes little. The person's own feedback counts fully, that of others in the organization a quarter. A
recommendation is an observation of each engine, weighted by its share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Name = TypeVar("Name", str, int)

# Weight of the prior, in observations.
PRIOR = 6.0
# Weight of other people's feedback.
OTHERS_WEIGHT = 0.25
# Implicit feedback counts less than explicit feedback.
APPROVAL = {"relevant": 1.0, "saved": 0.5, "opened": 0.25}
REFUSAL = {"not_relevant": 1.0, "dismissed": 0.5}
# Bounds of a weight.
LOWEST, HIGHEST = 0.5, 1.6


@dataclass(frozen=True)
class BetaCounts:
    """Weighted counts of approvals and refusals."""

    approved: float = 0.0
    refused: float = 0.0

    def mean(self, rate: float) -> float:
        """Return the posterior mean for a prior of this rate."""
        return (PRIOR * rate + self.approved) / (PRIOR + self.approved + self.refused)


@dataclass(frozen=True)
class EngineWeights:
    """Learnt weights around 1: of engines by name, of tags by id."""

    engines: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[int, float] = field(default_factory=dict)

    def engine_weight(self, name: str) -> float:
        """Return the weight of an engine in the fusion."""
        return self.engines.get(name, 1.0)

    def tag_weight(self, tag_ids: Iterable[int]) -> float:
        """Return the weight of a bookmark's tags: the mean of the learnt ones."""
        weights = [self.tags[id_] for id_ in tag_ids if id_ in self.tags]
        return sum(weights) / len(weights) if weights else 1.0


def engine_weights(
    engines: Sequence[tuple[bool, str, str, float]], tags: Sequence[tuple[bool, str, int, float]]
) -> EngineWeights:
    """Learn weights from feedback.

    Args:
        engines: Rows of (own, kind, engine, sum of the engine's shares).
        tags: Rows of (own, kind, tag id, count).
    """
    return EngineWeights(_factors(engines), _factors(tags))


def _factors(rows: Sequence[tuple[bool, str, Name, float]]) -> dict[Name, float]:
    approved: dict[Name, float] = defaultdict(float)
    refused: dict[Name, float] = defaultdict(float)
    for own, kind, name, number in rows:
        weight = number * (1.0 if own else OTHERS_WEIGHT)
        approved[name] += weight * APPROVAL.get(kind, 0.0)
        refused[name] += weight * REFUSAL.get(kind, 0.0)
    everything = BetaCounts(sum(approved.values()), sum(refused.values()))
    # Without data, half of everything is approved.
    rate = everything.mean(0.5)
    names = approved.keys() | refused.keys()
    return {name: _factor(BetaCounts(approved[name], refused[name]), rate) for name in names}


def _factor(counts: BetaCounts, rate: float) -> float:
    return min(HIGHEST, max(LOWEST, counts.mean(rate) / rate))
