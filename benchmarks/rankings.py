"""How good rankings are, and how sure a difference between two of them is. Nothing here knows the product."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from benchmarks.relevance_sets import ndcg, recall

NDCG_DEPTH, RECALL_DEPTH = 10, 20
RESAMPLES = 10_000


@dataclass(frozen=True)
class Quality:
    """Of one ranking, each from 0 to 1."""

    ndcg_10: float
    recall_20: float


@dataclass(frozen=True)
class Interval:
    """A mean or a ratio of means, and where 95 % of its bootstrap resamples lie."""

    value: float
    low: float
    high: float

    def describe(self, scale: float = 1.0, digits: int = 4) -> str:
        """For example `+0.0210 [+0.0150, +0.0270]`."""
        value, low, high = (f"{number * scale:+.{digits}f}" for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


def judge(ranking: Sequence[int], relevant: Collection[int]) -> Quality:
    """Against the relevant things, each as good as any other."""
    gains = dict.fromkeys(relevant, 1)
    return Quality(ndcg(ranking, gains, NDCG_DEPTH), recall(ranking, gains, RECALL_DEPTH))


def mean_quality(qualities: Collection[Quality]) -> Quality:
    """The mean of each measure."""
    return Quality(fmean(one.ndcg_10 for one in qualities), fmean(one.recall_20 for one in qualities))


def residual(ranking: Sequence[int], judged: Collection[int]) -> list[int]:
    """The ranking of what has not been judged yet."""
    return [found for found in ranking if found not in judged]


def paired_difference(these: Sequence[float], those: Sequence[float], seed: int = 0) -> Interval:
    """The mean of `these[i] - those[i]`; pairs are resampled.

    Raises:
        ValueError: not as many of the one as of the other, or none.
    """
    differences = _array(these, those)[0] - _array(these, those)[1]
    means = [differences[picked].mean() for picked in _resamples(len(differences), seed)]
    return _interval(float(differences.mean()), means)


def relative_gain(these: Sequence[float], those: Sequence[float], seed: int = 0) -> Interval:
    """How much more the mean of `these` is than that of `those`, as a share of the latter; pairs are resampled.

    Raises:
        ValueError: not as many of the one as of the other, or none, or the mean of `those` is 0.
    """
    ours, theirs = _array(these, those)
    if not theirs.any():
        raise ValueError("there is no share of nothing")
    gains = [
        ours[picked].mean() / theirs[picked].mean() - 1
        for picked in _resamples(len(ours), seed)
        if theirs[picked].any()
    ]
    return _interval(float(ours.mean() / theirs.mean() - 1), gains)


def _array(these: Sequence[float], those: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    if len(these) != len(those) or not these:
        raise ValueError(f"{len(these)} and {len(those)} values make no pairs")
    return np.asarray(these, dtype=float), np.asarray(those, dtype=float)


def _resamples(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, size, (RESAMPLES, size))


def _interval(value: float, resampled: Sequence[float]) -> Interval:
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Interval(value, float(low), float(high))
