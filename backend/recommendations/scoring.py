"""How every engine judges every candidate.

Each engine's score lies between 0 and 1:

- content: the candidate's BM25 score for the words of subject and taste, as a part of the highest.
- semantic: 0.7 × the cosine with the subject's text and the mean of the taste (Rocchio) less 0.3 × the mean of what
  was refused, + 0.3 × the mean of the cosines with the three nearest bookmarks of the taste.
- context: the best, over what is being worked on, of urgency × cosine, and the words likewise.
- collaborative: 1 - exp(-2 × what speaks for it in other baskets), see `candidates.TOGETHER`.
- rediscover: how well it fits (by meaning, or by words where nothing has a vector) × how forgotten it is.
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
from backend.recommendations.user_profile import Evidence, Vector

Scores = NDArray[np.float64]

# Tuned with `benchmarks.recommend`.
NEAREST, OF_NEAREST, OF_REFUSED = 3, 0.3, 0.3
OF_CONTEXT_WORDS = 0.35
HIGHEST_URGENCY = 1.8
# What has been read counts as forgotten after so long; what is unread always does, the more so the older it is.
UNSEEN = timedelta(days=60)
HALF_FORGOTTEN_DAYS = 90.0


@dataclass(frozen=True)
class Panel:
    """The engines, before some candidates.

    Attributes:
        candidates: Whom they judge; all scores are in this order.
        evidence: What is known of taste and work.
        text_vector: The embedding of the subject's text, if there is one.
        fits_anyway: How well, at least, everything fits: for a person nothing is out of place.
    """

    candidates: Sequence[Candidate]
    evidence: Evidence
    text_vector: Vector | None
    fits_anyway: float = 0.0

    def scores(self, engine: Engine) -> Scores:
        """What the engine says of each candidate; 0 is nothing."""
        found: Mapping[Engine, Scores] = {
            "content": self.content,
            "semantic": self.semantic,
            "context": self.context,
            "collaborative": self.collaborative,
            "rediscover": self.rediscover,
        }
        return found[engine]

    @cached_property
    def content(self) -> Scores:
        """Of `content`, see above."""
        return _part_of_highest([one.content for one in self.candidates])

    @cached_property
    def semantic(self) -> Scores:
        """Of `semantic`."""
        query = query_vector(self.text_vector, self.evidence)
        if query is None:
            return np.zeros(len(self.candidates))
        score: Scores = self.vectors @ query
        wanted = [one.vector for one in self.evidence.wanted if one.vector is not None]
        if wanted:
            near = np.sort(self.vectors @ np.stack(wanted).T, axis=1)[:, -NEAREST:].mean(axis=1)
            score = (1 - OF_NEAREST) * score + OF_NEAREST * near
        return np.asarray(np.clip(score, 0.0, 1.0), dtype=np.float64)

    @cached_property
    def context(self) -> Scores:
        """Of `context`."""
        by_meaning: Scores = self.nearness_to_work.max(axis=1, initial=0.0) / HIGHEST_URGENCY
        by_words = _part_of_highest([one.context for one in self.candidates])
        if not self.nearness_to_work.any():
            return by_words
        return np.clip(OF_CONTEXT_WORDS * by_words + (1 - OF_CONTEXT_WORDS) * by_meaning, 0.0, 1.0)

    @cached_property
    def nearness_to_work(self) -> Scores:
        """Urgency × cosine of each candidate with each thing at hand; 0 where a vector is missing."""
        columns = [
            urgency(one) * np.clip(self.vectors @ one.vector, 0.0, 1.0)
            if one.vector is not None
            else np.zeros(len(self.candidates))
            for one in self.evidence.at_hand
        ]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.candidates), 0))

    @cached_property
    def collaborative(self) -> Scores:
        """Of `collaborative`."""
        return 1 - np.exp(-2 * np.array([one.together for one in self.candidates], dtype=np.float64))

    @cached_property
    def rediscover(self) -> Scores:
        """Of `rediscover`."""
        return self.fit * np.array([forgotten(one) for one in self.candidates], dtype=np.float64)

    @cached_property
    def fit(self) -> Scores:
        """How well each fits what is wanted."""
        fit = self.semantic if self.semantic.any() else self.content
        return np.maximum(fit, self.fits_anyway)

    @cached_property
    def vectors(self) -> Scores:
        """Shape (candidates, dimension); zeros where there is none."""
        dimension = next((len(one.vector) for one in self.candidates if one.vector is not None), 1)
        known = self.text_vector if self.text_vector is not None else self._taste_vector
        size = len(known) if known is not None else dimension
        rows = [
            one.vector if one.vector is not None and len(one.vector) == size else np.zeros(size)
            for one in self.candidates
        ]
        return np.stack(rows) if rows else np.zeros((0, size))

    @property
    def _taste_vector(self) -> Vector | None:
        return next((one.vector for one in self.evidence.taste if one.vector is not None), None)


def query_vector(text_vector: Vector | None, evidence: Evidence) -> Vector | None:
    """Where to look for what is wanted: the subject's text and the mean of the taste, away from what was refused.

    Of length 1; None if there is no vector at all.
    """
    parts = [] if text_vector is None else [text_vector]
    wanted = [(one.weight, one.vector) for one in evidence.wanted if one.vector is not None]
    if wanted:
        parts.append(_unit(np.sum([weight * vector for weight, vector in wanted], axis=0)))
    if not parts:
        return None
    query = np.sum(parts, axis=0)
    refused = [-one.weight * one.vector for one in evidence.unwanted if one.vector is not None]
    if refused:
        query = query - OF_REFUSED * np.mean(refused, axis=0)
    return _unit(query)


def forgotten(candidate: Candidate) -> float:
    """Between 0 and 1: 0 for what was read or seen lately, 0.4 for what was saved just now and is unread, and more the
    longer it lies there; favorites count a little more."""
    now = utc_now()
    if candidate.is_read and now - candidate.seen_at < UNSEEN:
        return 0.0
    since = candidate.seen_at if candidate.is_read else candidate.created_at
    days = max(0.0, (now - since) / timedelta(days=1))
    score = 0.4 + 0.5 * days / (days + HALF_FORGOTTEN_DAYS)
    return min(1.0, score * (1.1 if candidate.is_favorite else 1.0))


def _part_of_highest(scores: Sequence[float]) -> Scores:
    found = np.clip(np.array(scores, dtype=np.float64), 0.0, None)
    highest = found.max(initial=0.0)
    return found / highest if highest > 0 else found


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    unit: Vector = (vector / length if length else vector).astype(np.float32)
    return unit
