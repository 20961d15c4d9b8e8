"""Interface of embedding providers, and their error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class EmbeddingProvider(Protocol):
    """Embedding provider: texts to vectors, thread-safe. `model` and `dimension` are stored with every vector."""

    model: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts in order: float32, shape (len(texts), dimension), rows of length 1.

        Raises:
            EmbeddingsUnavailable: no vectors at all, never some of them.
        """
        ...


class EmbeddingsUnavailable(Exception):
    """No vectors are available.

    Attributes:
        reason: a sentence for the operator; never holds a key.
        retryable: whether the same call may succeed later with the same settings.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable

    def copy(self) -> EmbeddingsUnavailable:
        """Return a copy, to be raised again."""
        return EmbeddingsUnavailable(self.reason, retryable=self.retryable)
