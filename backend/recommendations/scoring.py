"""Engine scores of all candidates.

Each engine's score is between 0 and 1:

- content: BM25 score for the words of subject and profile, divided by the highest.
- semantic: 0.7 × the cosine with the query vector (Rocchio: the subject's text and the mean of the positive items,
  minus 0.3 × the mean of the negative ones) + 0.3 × the mean cosine with the three nearest positive items.
- context: the maximum over active work of urgency × cosine, and BM25 for its words.
- collaborative: 1 - exp(-2 × co-occurrence score), see `candidates.sql`.
- rediscover: fit (by meaning, or by words where nothing has a vector) × how forgotten the bookmark is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backend.clock import utc_now
from backend.recommendations.candidates import Candidate
from backend.recommendations.schemas import Engine
from backend.recommendations.urgency import urgency
from backend.recommendations.user_profile import UserProfile, Vector

Scores = NDArray[np.float64]

# Tuned with `benchmarks.recommend`.
NEAREST, NEAREST_WEIGHT, NEGATIVE_WEIGHT = 3, 0.3, 0.3
CONTEXT_WORDS_WEIGHT = 0.35
HIGHEST_URGENCY = 1.8
# After this time a read bookmark counts as forgotten; an unread one always does, with its age.
UNSEEN = timedelta(days=60)
HALF_FORGOTTEN_DAYS = 90.0


@dataclass(frozen=True)
class EngineScores:
    """Scores of the engines for some candidates.

    Attributes:
        candidates: All scores are in their order.
        profile: The user profile.
        text_vector: The embedding of the subject's text, or None.
        minimum_fit: Lower bound of `fit`: everything fits a person a little.
    """

    candidates: Sequence[Candidate]
    profile: UserProfile
    text_vector: Vector | None
    minimum_fit: float = 0.0

    def scores(self, engine: Engine) -> Scores:
        """Return an engine's score of each candidate; 0 is no profile."""
        by_engine: Mapping[Engine, Scores] = {
            "content": self.content,
            "semantic": self.semantic,
            "context": self.context,
            "collaborative": self.collaborative,
            "rediscover": self.rediscover,
        }
        return by_engine[engine]

    @cached_property
    def content(self) -> Scores:
        """BM25 of subject and profile."""
        return _normalised([candidate.content for candidate in self.candidates])

    @cached_property
    def semantic(self) -> Scores:
        """Cosine with subject and profile."""
        query = query_vector(self.text_vector, self.profile)
        if query is None:
            return np.zeros(len(self.candidates))
        score: Scores = self.vectors @ query
        positive = [item.vector for item in self.profile.positive if item.vector is not None]
        if positive:
            near = np.sort(self.vectors @ np.stack(positive).T, axis=1)[:, -NEAREST:].mean(axis=1)
            score = (1 - NEAREST_WEIGHT) * score + NEAREST_WEIGHT * near
        return np.asarray(np.clip(score, 0.0, 1.0), dtype=np.float64)

    @cached_property
    def context(self) -> Scores:
        """Fit with active work."""
        by_meaning: Scores = self.work_similarity.max(axis=1, initial=0.0) / HIGHEST_URGENCY
        by_words = _normalised([candidate.context for candidate in self.candidates])
        if not self.work_similarity.any():
            return by_words
        return np.clip(CONTEXT_WORDS_WEIGHT * by_words + (1 - CONTEXT_WORDS_WEIGHT) * by_meaning, 0.0, 1.0)

    @cached_property
    def work_similarity(self) -> Scores:
        """Urgency × cosine of each candidate with each item of active work; 0 without a vector."""
        columns = [
            urgency(work) * np.clip(self.vectors @ work.vector, 0.0, 1.0)
            if work.vector is not None
            else np.zeros(len(self.candidates))
            for work in self.profile.active_work
        ]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.candidates), 0))

    @cached_property
    def collaborative(self) -> Scores:
        """Co-occurrence."""
        return 1 - np.exp(-2 * np.array([candidate.together for candidate in self.candidates], dtype=np.float64))

    @cached_property
    def rediscover(self) -> Scores:
        """Fit × how forgotten."""
        return self.fit * np.array([forgotten(candidate) for candidate in self.candidates], dtype=np.float64)

    @cached_property
    def fit(self) -> Scores:
        """Fit with subject and profile."""
        fit = self.semantic if self.semantic.any() else self.content
        return np.maximum(fit, self.minimum_fit)

    @cached_property
    def vectors(self) -> Scores:
        """Embeddings, shape (candidates, dimension); zeros for missing ones."""
        dimension = next((len(candidate.vector) for candidate in self.candidates if candidate.vector is not None), 1)
        reference = self.text_vector if self.text_vector is not None else self._item_vector
        size = len(reference) if reference is not None else dimension
        rows = [
            candidate.vector if candidate.vector is not None and len(candidate.vector) == size else np.zeros(size)
            for candidate in self.candidates
        ]
        return np.stack(rows) if rows else np.zeros((0, size))

    @property
    def _item_vector(self) -> Vector | None:
        return next((item.vector for item in self.profile.items if item.vector is not None), None)


def query_vector(text_vector: Vector | None, profile: UserProfile) -> Vector | None:
    """Return the query vector: subject and mean of the positive items, minus the mean of the negative ones.

    Of length 1; None without any vector.
    """
    parts = [] if text_vector is None else [text_vector]
    positive = [(item.weight, item.vector) for item in profile.positive if item.vector is not None]
    if positive:
        parts.append(_unit(np.sum([weight * vector for weight, vector in positive], axis=0)))
    if not parts:
        return None
    query = np.sum(parts, axis=0)
    negative = [-item.weight * item.vector for item in profile.negative if item.vector is not None]
    if negative:
        query = query - NEGATIVE_WEIGHT * np.mean(negative, axis=0)
    return _unit(query)


def forgotten(candidate: Candidate) -> float:
    """Return how forgotten a bookmark is, between 0 and 1: 0 if read and seen lately, 0.4 for a new unread one, rising
    with age; favorites get 10 % more."""
    now = utc_now()
    if candidate.is_read and now - candidate.seen_at < UNSEEN:
        return 0.0
    since = candidate.seen_at if candidate.is_read else candidate.created_at
    days = max(0.0, (now - since) / timedelta(days=1))
    score = 0.4 + 0.5 * days / (days + HALF_FORGOTTEN_DAYS)
    return min(1.0, score * (1.1 if candidate.is_favorite else 1.0))


def _normalised(scores: Sequence[float]) -> Scores:
    clipped = np.clip(np.array(scores, dtype=np.float64), 0.0, None)
    highest = clipped.max(initial=0.0)
    return clipped / highest if highest > 0 else clipped


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    unit: Vector = (vector / length if length else vector).astype(np.float32)
    return unit
