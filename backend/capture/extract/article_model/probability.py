"""Probabilities by logistic regression."""

from __future__ import annotations

import math

from backend.capture.extract.article_model.features import BlockEvidence, Features, features_of
from backend.capture.extract.article_model.weights import BIAS, WEIGHTS


def probabilities(evidence: BlockEvidence) -> list[float]:
    """Return for each block the probability that it belongs to the article."""
    return [_probability(features) for features in features_of(evidence)]


def _probability(features: Features) -> float:
    score = BIAS + sum(value * WEIGHTS.get(name, 0.0) for name, value in features.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
